// A row's place, in the form the core keeps it.
#pragma once

#include "core/counters/ledger.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

inline core::RowLocation location_of(Oid relation, const ItemPointerData& place) {
  return {(uint64{ItemPointerGetBlockNumberNoCheck(&place)} << 16) | ItemPointerGetOffsetNumberNoCheck(&place),
          relation};
}

inline ItemPointerData place_of(core::RowLocation location) {
  ItemPointerData place;
  ItemPointerSet(&place, static_cast<BlockNumber>(location.place >> 16), static_cast<OffsetNumber>(location.place));
  return place;
}

}  // namespace chatopt::counters
