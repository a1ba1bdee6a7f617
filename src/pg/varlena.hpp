// Values of variable length as bytes: the only place that knows how they are
// laid out. A payload begins at any address (short headers), so it is read as
// bytes and never through a wider pointer.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "pg/postgres.hpp"

namespace chatopt::pg {

using PayloadBytes = std::span<const std::byte>;

namespace detail {

inline PayloadBytes payload_of(const struct varlena* value) {
  return {reinterpret_cast<const std::byte*>(VARDATA_ANY(value)), VARSIZE_ANY_EXHDR(value)};
}

// What PG_DETOAST_DATUM_PACKED gives, without a call where there is nothing to fetch.
inline struct varlena* fetched(Datum datum) {
  auto* value = reinterpret_cast<struct varlena*>(DatumGetPointer(datum));
  return VARATT_IS_COMPRESSED(value) || VARATT_IS_EXTERNAL(value) ? pg_detoast_datum_packed(value) : value;
}

}  // namespace detail

// The payload of a value. One that is compressed or out of line is fetched
// whole, into the current memory context.
inline PayloadBytes varlena_bytes(Datum value) {
  return detail::payload_of(detail::fetched(value));
}

// The same for functions that may be called a million times in one memory
// context, such as comparisons: release() gives back what was fetched.
class VarlenaArgument {
 public:
  explicit VarlenaArgument(Datum value) noexcept
      : given_(value), fetched_(detail::fetched(value)) {}
  [[nodiscard]] PayloadBytes bytes() const { return detail::payload_of(fetched_); }
  void release() {
    if (PointerGetDatum(fetched_) != given_) pfree(fetched_);
  }

 private:
  Datum given_;
  struct varlena* fetched_;
};

// Is the value out of line, so that a part of it is cheaper than the whole?
inline bool varlena_is_external(Datum value) { return VARATT_IS_EXTERNAL(DatumGetPointer(value)); }

// How many bytes the payload has, without fetching it.
inline std::size_t varlena_size(Datum value) { return toast_raw_datum_size(value) - VARHDRSZ; }

// length bytes of the payload from offset on, or as many as there are. Reads
// only the pages that hold them, if the value is out of line and not compressed.
inline PayloadBytes varlena_slice(Datum value, std::size_t offset, std::size_t length) {
  return detail::payload_of(reinterpret_cast<struct varlena*>(
      PG_DETOAST_DATUM_SLICE(value, static_cast<int32>(offset), static_cast<int32>(length))));
}

// A value that is written in place: payload() has room for the bound. noexcept
// as no exception comes out; palloc's errors are jumps.
class VarlenaResult {
 public:
  explicit VarlenaResult(std::size_t bound) noexcept : VarlenaResult(palloc(room(bound))) {}
  // Inside cpp_zone, where palloc must not be called: in room(bound) bytes that
  // came from a memory resource.
  explicit VarlenaResult(void* space) noexcept : value_(static_cast<struct varlena*>(space)) {}
  [[nodiscard]] static std::size_t room(std::size_t bound) noexcept { return VARHDRSZ + bound; }
  [[nodiscard]] std::byte* payload() const { return reinterpret_cast<std::byte*>(VARDATA(value_)); }
  // The value, with the size that the payload has in the end.
  [[nodiscard]] Datum finish(std::size_t size) const {
    SET_VARSIZE(value_, VARHDRSZ + size);
    return PointerGetDatum(value_);
  }

 private:
  struct varlena* value_;
};

// For values whose layout is another header's, such as arrays.
inline void varlena_set_size(void* value, Size size) { SET_VARSIZE(value, size); }

// A new value with a copy of the bytes.
inline Datum varlena_datum(PayloadBytes bytes) {
  const VarlenaResult result(bytes.size());
  std::memcpy(result.payload(), bytes.data(), bytes.size());
  return result.finish(bytes.size());
}

}  // namespace chatopt::pg
