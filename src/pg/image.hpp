// A Datum as plain bytes, and back: the form in which the core keeps keys.
// Equal values of the key types chatopt accepts have equal bytes.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "pg/postgres.hpp"

namespace chatopt::pg {

struct ValueType {
  Oid type = InvalidOid;
  int16 length = 0;
  bool by_value = false;
};

inline ValueType value_type(Oid type) {
  ValueType result;
  result.type = type;
  get_typlenbyval(type, &result.length, &result.by_value);
  return result;
}

// The bytes of a value; *value must outlive them. A compressed or external value
// is fetched first, into the current memory context.
inline std::span<const std::byte> image_of(Datum* value, const ValueType& type) {
  if (type.by_value) return std::as_bytes(std::span<Datum, 1>(value, 1));
  if (type.length > 0)
    return {reinterpret_cast<const std::byte*>(DatumGetPointer(*value)), static_cast<std::size_t>(type.length)};
  auto* packed = reinterpret_cast<struct varlena*>(PG_DETOAST_DATUM_PACKED(*value));
  *value = PointerGetDatum(packed);
  return {reinterpret_cast<const std::byte*>(VARDATA_ANY(packed)), VARSIZE_ANY_EXHDR(packed)};
}

// The value again, in the current memory context.
inline Datum datum_of(std::span<const std::byte> image, const ValueType& type) {
  if (type.by_value) {
    Datum value;
    std::memcpy(&value, image.data(), sizeof value);
    return value;
  }
  if (type.length > 0) {
    void* copy = palloc(image.size());
    std::memcpy(copy, image.data(), image.size());
    return PointerGetDatum(copy);
  }
  auto* copy = static_cast<struct varlena*>(palloc(VARHDRSZ + image.size()));
  SET_VARSIZE(copy, VARHDRSZ + image.size());
  std::memcpy(VARDATA(copy), image.data(), image.size());
  return PointerGetDatum(copy);
}

}  // namespace chatopt::pg
