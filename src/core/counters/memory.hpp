// The words for memory that the counters' core shares.
//
// Containers take their memory from the resource they are made with, never from
// the heap, and none asks for more than 8 bytes of alignment.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>

#include <boost/container/vector.hpp>

namespace chatopt::core {

using Bytes = std::span<const std::byte>;
using Memory = std::pmr::memory_resource;
template <class T>
using Allocator = std::pmr::polymorphic_allocator<T>;
template <class T>
using Vector = boost::container::vector<T, Allocator<T>>;

}  // namespace chatopt::core
