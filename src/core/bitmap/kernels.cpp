#include "core/bitmap/kernels.hpp"

#include <bit>

#include "core/bitmap/bytes.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace chatopt::core::kernels {

namespace {

using bytes::load;
using bytes::load_some;

enum class Op { kUnite, kIntersect, kSubtract, kFlip };

// By reference, as vectors may not be passed where the processor is not known to have them.
template <Op op, class Word>
[[gnu::always_inline]] inline void apply(Word& a, const Word& b) noexcept {
  if constexpr (op == Op::kUnite) a |= b;
  if constexpr (op == Op::kIntersect) a &= b;
  if constexpr (op == Op::kSubtract) a &= ~b;
  if constexpr (op == Op::kFlip) a ^= b;
}

template <Op op>
[[gnu::always_inline]] inline std::uint64_t combine_words(std::byte* out, const std::byte* a, const std::byte* b,
                                                          std::size_t n) noexcept {
  std::uint64_t result = 0;
  for (; n >= 8; n -= 8, out += 8, a += 8, b += 8) {
    auto word = load<std::uint64_t>(a);
    apply<op>(word, load<std::uint64_t>(b));
    bytes::store(out, word);
    result += static_cast<std::uint64_t>(std::popcount(word));
  }
  std::uint64_t word = load_some(a, n);
  apply<op>(word, load_some(b, n));
  bytes::store_some(out, word, n);
  return result + static_cast<std::uint64_t>(std::popcount(word));
}

// carry is the bit below the first: 1 or 0.
template <Op op>
[[gnu::always_inline]] inline void combine_run_words(std::byte* out, const std::byte* a, const std::byte* b,
                                                     std::size_t n, std::uint64_t carry, Counts& counts) noexcept {
  const auto add = [&](std::uint64_t word) {
    counts.members += static_cast<std::uint64_t>(std::popcount(word));
    counts.runs += static_cast<std::uint64_t>(std::popcount(word & ~(word << 1 | carry)));
    carry = word >> 63;
  };
  for (; n >= 8; n -= 8, out += 8, a += 8, b += 8) {
    auto word = load<std::uint64_t>(a);
    apply<op>(word, load<std::uint64_t>(b));
    bytes::store(out, word);
    add(word);
  }
  std::uint64_t word = load_some(a, n);
  apply<op>(word, load_some(b, n));
  bytes::store_some(out, word, n);
  add(word);
}

[[gnu::always_inline]] inline std::uint64_t count_words(const std::byte* data, std::size_t n) noexcept {
  std::uint64_t result = 0;
  for (; n >= 8; n -= 8, data += 8) result += static_cast<std::uint64_t>(std::popcount(load<std::uint64_t>(data)));
  return result + static_cast<std::uint64_t>(std::popcount(load_some(data, n)));
}

// A run begins at a bit whose lower neighbour is not set. Looks whether it is enough every 32 words.
[[gnu::always_inline]] inline std::uint64_t count_run_words(const std::byte* data, std::size_t n,
                                                            std::uint64_t enough) noexcept {
  std::uint64_t result = 0;
  std::uint64_t carry = 0;
  while (n >= 8) {
    for (int words = 0; words < 32 && n >= 8; ++words, n -= 8, data += 8) {
      const auto word = load<std::uint64_t>(data);
      result += static_cast<std::uint64_t>(std::popcount(word & ~(word << 1 | carry)));
      carry = word >> 63;
    }
    if (result >= enough) return result;
  }
  const std::uint64_t word = load_some(data, n);
  return result + static_cast<std::uint64_t>(std::popcount(word & ~(word << 1 | carry)));
}

template <Op op>
std::uint64_t combine(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept {
  return combine_words<op>(out, a, b, n);
}

template <Op op>
Counts combine_runs(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept {
  Counts result{0, 0};
  combine_run_words<op>(out, a, b, n, 0, result);
  return result;
}

std::uint64_t count(const std::byte* data, std::size_t n) noexcept { return count_words(data, n); }

std::uint64_t count_runs(const std::byte* data, std::size_t n, std::uint64_t enough) noexcept {
  return count_run_words(data, n, enough);
}

bool includes(const std::byte* set, const std::byte* subset, std::size_t n) noexcept {
  for (; n >= 8; n -= 8, set += 8, subset += 8)
    if ((load<std::uint64_t>(subset) & ~load<std::uint64_t>(set)) != 0) return false;
  return (load_some(subset, n) & ~load_some(set, n)) == 0;
}

bool overlaps(const std::byte* a, const std::byte* b, std::size_t n) noexcept {
  for (; n >= 8; n -= 8, a += 8, b += 8)
    if ((load<std::uint64_t>(a) & load<std::uint64_t>(b)) != 0) return true;
  return (load_some(a, n) & load_some(b, n)) != 0;
}

constexpr Table kPortable{Path::kPortable,
                          count,
                          count_runs,
                          combine<Op::kUnite>,
                          combine<Op::kIntersect>,
                          combine<Op::kSubtract>,
                          combine<Op::kFlip>,
                          combine_runs<Op::kUnite>,
                          combine_runs<Op::kIntersect>,
                          combine_runs<Op::kSubtract>,
                          combine_runs<Op::kFlip>,
                          includes,
                          overlaps};

#if defined(__x86_64__)

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i load256(const std::byte* from) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(from));
}

// Mula's count: each half byte is looked up.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i bytes_counted(__m256i bits) noexcept {
  const __m256i lookup = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(0x0F);
  const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bits, 4), low);
  return _mm256_add_epi8(_mm256_shuffle_epi8(lookup, _mm256_and_si256(bits, low)), _mm256_shuffle_epi8(lookup, upper));
}

// The sum of 32 bytes.
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint64_t summed(__m256i counts) noexcept {
  std::uint64_t lanes[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(lanes), _mm256_sad_epu8(counts, _mm256_setzero_si256()));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

constexpr int kRounds = 31;  // of counts of at most 8, until a byte is full

template <Op op>
[[gnu::target("avx2,popcnt")]] std::uint64_t combine_avx2(std::byte* out, const std::byte* a, const std::byte* b,
                                                          std::size_t n) noexcept {
  std::uint64_t result = 0;
  while (n >= 32) {
    __m256i counts = _mm256_setzero_si256();
    for (int round = 0; round < kRounds && n >= 32; ++round, n -= 32, out += 32, a += 32, b += 32) {
      __m256i bits = load256(a);
      apply<op>(bits, load256(b));
      _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(out), bits);
      counts = _mm256_add_epi8(counts, bytes_counted(bits));
    }
    result += summed(counts);
  }
  return result + combine_words<op>(out, a, b, n);
}

template <Op op>
[[gnu::target("avx2,popcnt")]] Counts combine_runs_avx2(std::byte* out, const std::byte* a, const std::byte* b,
                                                        std::size_t n) noexcept {
  Counts result{0, 0};
  __m256i before = _mm256_setzero_si256();  // its lowest word is the one below the first
  while (n >= 32) {
    __m256i members = _mm256_setzero_si256();
    __m256i runs = _mm256_setzero_si256();
    for (int round = 0; round < kRounds && n >= 32; ++round, n -= 32, out += 32, a += 32, b += 32) {
      __m256i bits = load256(a);
      apply<op>(bits, load256(b));
      _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(out), bits);
      const __m256i turned = _mm256_permute4x64_epi64(bits, 0x93);  // every word one up, the top one at the bottom
      const __m256i lower = _mm256_blend_epi32(turned, before, 0x03);
      const __m256i below = _mm256_or_si256(_mm256_slli_epi64(bits, 1), _mm256_srli_epi64(lower, 63));
      members = _mm256_add_epi8(members, bytes_counted(bits));
      runs = _mm256_add_epi8(runs, bytes_counted(_mm256_andnot_si256(below, bits)));
      before = turned;
    }
    result.members += summed(members);
    result.runs += summed(runs);
  }
  const auto below = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm256_castsi256_si128(before)));
  combine_run_words<op>(out, a, b, n, below >> 63, result);
  return result;
}

[[gnu::target("avx2,popcnt")]] std::uint64_t count_avx2(const std::byte* data, std::size_t n) noexcept {
  std::uint64_t result = 0;
  while (n >= 32) {
    __m256i counts = _mm256_setzero_si256();
    for (int round = 0; round < kRounds && n >= 32; ++round, n -= 32, data += 32)
      counts = _mm256_add_epi8(counts, bytes_counted(load256(data)));
    result += summed(counts);
  }
  return result + count_words(data, n);
}

// Runs begin where the bit is set and the one below is not; the bit below a word is the top of the word before.
[[gnu::target("avx2,popcnt")]] std::uint64_t count_runs_avx2(const std::byte* data, std::size_t n,
                                                             std::uint64_t enough) noexcept {
  if (n < 40) return count_run_words(data, n, enough);
  std::uint64_t result = count_run_words(data, 8, UINT64_MAX);
  data += 8;
  n -= 8;
  while (n >= 32) {
    __m256i counts = _mm256_setzero_si256();
    for (int round = 0; round < kRounds / 2 && n >= 32; ++round, n -= 32, data += 32) {
      const __m256i bits = load256(data);
      const __m256i below = _mm256_or_si256(_mm256_slli_epi64(bits, 1), _mm256_srli_epi64(load256(data - 8), 63));
      counts = _mm256_add_epi8(counts, bytes_counted(_mm256_andnot_si256(below, bits)));
    }
    result += summed(counts);
    if (result >= enough) return result;
  }
  const std::uint64_t rest = count_run_words(data, n, UINT64_MAX);
  // The rest begins in the middle of a run where both sides of the cut are set.
  const bool cut = n > 0 && (std::to_integer<unsigned>(data[-1]) >> 7 & std::to_integer<unsigned>(data[0]) & 1U) != 0;
  return result + rest - (cut ? 1 : 0);
}

[[gnu::target("avx2")]] bool includes_avx2(const std::byte* set, const std::byte* subset, std::size_t n) noexcept {
  for (; n >= 32; n -= 32, set += 32, subset += 32)
    if (_mm256_testc_si256(load256(set), load256(subset)) == 0) return false;
  return includes(set, subset, n);
}

[[gnu::target("avx2")]] bool overlaps_avx2(const std::byte* a, const std::byte* b, std::size_t n) noexcept {
  for (; n >= 32; n -= 32, a += 32, b += 32)
    if (_mm256_testz_si256(load256(a), load256(b)) == 0) return true;
  return overlaps(a, b, n);
}

constexpr Table kAvx2{Path::kAvx2,
                      count_avx2,
                      count_runs_avx2,
                      combine_avx2<Op::kUnite>,
                      combine_avx2<Op::kIntersect>,
                      combine_avx2<Op::kSubtract>,
                      combine_avx2<Op::kFlip>,
                      combine_runs_avx2<Op::kUnite>,
                      combine_runs_avx2<Op::kIntersect>,
                      combine_runs_avx2<Op::kSubtract>,
                      combine_runs_avx2<Op::kFlip>,
                      includes_avx2,
                      overlaps_avx2};

template <Op op>
[[gnu::target("avx512f,avx512bw,avx512vpopcntdq")]] std::uint64_t combine_avx512(std::byte* out, const std::byte* a,
                                                                                 const std::byte* b,
                                                                                 std::size_t n) noexcept {
  __m512i total = _mm512_setzero_si512();
  for (; n >= 64; n -= 64, out += 64, a += 64, b += 64) {
    __m512i bits = _mm512_loadu_si512(a);
    apply<op>(bits, _mm512_loadu_si512(b));
    _mm512_storeu_si512(out, bits);
    total = _mm512_add_epi64(total, _mm512_popcnt_epi64(bits));
  }
  if (n > 0) {
    const __mmask64 rest = (std::uint64_t{1} << n) - 1;
    __m512i bits = _mm512_maskz_loadu_epi8(rest, a);
    apply<op>(bits, _mm512_maskz_loadu_epi8(rest, b));
    _mm512_mask_storeu_epi8(out, rest, bits);
    total = _mm512_add_epi64(total, _mm512_popcnt_epi64(bits));
  }
  std::uint64_t lanes[8];
  _mm512_storeu_si512(lanes, total);
  std::uint64_t result = 0;
  for (const std::uint64_t lane : lanes) result += lane;
  return result;
}

// The highest word of before is the one below the first of bits.
[[gnu::target("avx512f,avx512bw,avx512vpopcntdq"), gnu::always_inline]] inline __m512i run_starts(
    const __m512i& bits, const __m512i& before) noexcept {
  // With masks, as GCC 12 warns of what its header leaves undefined in the others.
  const __m512i lower = _mm512_maskz_alignr_epi64(0xFF, bits, before, 7);
  const __m512i below =
      _mm512_or_si512(_mm512_maskz_slli_epi64(0xFF, bits, 1), _mm512_maskz_srli_epi64(0xFF, lower, 63));
  return bits & ~below;
}

[[gnu::target("avx512f,avx512bw,avx512vpopcntdq"), gnu::always_inline]] inline std::uint64_t summed512(
    const __m512i& counts) noexcept {
  // Halves added up: by way of memory, a vector of this width cannot be read before all of it is written.
  const __m256i four = _mm256_add_epi64(_mm512_maskz_extracti64x4_epi64(0x0F, counts, 0),
                                        _mm512_maskz_extracti64x4_epi64(0x0F, counts, 1));
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(two)) +
         static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(two, two)));
}

template <Op op>
[[gnu::target("avx512f,avx512bw,avx512vpopcntdq")]] Counts combine_runs_avx512(std::byte* out, const std::byte* a,
                                                                               const std::byte* b,
                                                                               std::size_t n) noexcept {
  __m512i members = _mm512_setzero_si512();
  __m512i runs = _mm512_setzero_si512();
  __m512i before = _mm512_setzero_si512();
  for (; n >= 64; n -= 64, out += 64, a += 64, b += 64) {
    __m512i bits = _mm512_loadu_si512(a);
    apply<op>(bits, _mm512_loadu_si512(b));
    _mm512_storeu_si512(out, bits);
    members = _mm512_add_epi64(members, _mm512_popcnt_epi64(bits));
    runs = _mm512_add_epi64(runs, _mm512_popcnt_epi64(run_starts(bits, before)));
    before = bits;
  }
  if (n > 0) {
    const __mmask64 rest = (std::uint64_t{1} << n) - 1;
    __m512i bits = _mm512_maskz_loadu_epi8(rest, a);
    apply<op>(bits, _mm512_maskz_loadu_epi8(rest, b));
    _mm512_mask_storeu_epi8(out, rest, bits);
    members = _mm512_add_epi64(members, _mm512_popcnt_epi64(bits));
    runs = _mm512_add_epi64(runs, _mm512_popcnt_epi64(run_starts(bits, before)));
  }
  return {summed512(members), summed512(runs)};
}

[[gnu::target("avx512f,avx512bw,avx512vpopcntdq")]] std::uint64_t count_avx512(const std::byte* data,
                                                                               std::size_t n) noexcept {
  __m512i total = _mm512_setzero_si512();
  for (; n >= 64; n -= 64, data += 64) total = _mm512_add_epi64(total, _mm512_popcnt_epi64(_mm512_loadu_si512(data)));
  if (n > 0) {
    const __m512i rest = _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1, data);
    total = _mm512_add_epi64(total, _mm512_popcnt_epi64(rest));
  }
  std::uint64_t lanes[8];
  _mm512_storeu_si512(lanes, total);
  std::uint64_t result = 0;
  for (const std::uint64_t lane : lanes) result += lane;
  return result;
}

[[gnu::target("avx512f,avx512bw,avx512vpopcntdq,popcnt")]] std::uint64_t count_runs_avx512(
    const std::byte* data, std::size_t n, std::uint64_t enough) noexcept {
  if (n < 72) return count_run_words(data, n, enough);
  std::uint64_t result = count_run_words(data, 8, UINT64_MAX);
  data += 8;
  n -= 8;
  while (n >= 64) {
    __m512i total = _mm512_setzero_si512();
    for (int rounds = 0; rounds < 8 && n >= 64; ++rounds, n -= 64, data += 64) {
      const __m512i bits = _mm512_loadu_si512(data);
      // With a mask, as GCC 12 warns of what its header leaves undefined in the others.
      const __m512i before = _mm512_maskz_srli_epi64(0xFF, _mm512_loadu_si512(data - 8), 63);
      const __m512i below = _mm512_or_si512(_mm512_maskz_slli_epi64(0xFF, bits, 1), before);
      total = _mm512_add_epi64(total, _mm512_popcnt_epi64(bits & ~below));
    }
    std::uint64_t lanes[8];
    _mm512_storeu_si512(lanes, total);
    for (const std::uint64_t lane : lanes) result += lane;
    if (result >= enough) return result;
  }
  const std::uint64_t rest = count_run_words(data, n, UINT64_MAX);
  const bool cut = n > 0 && (std::to_integer<unsigned>(data[-1]) >> 7 & std::to_integer<unsigned>(data[0]) & 1U) != 0;
  return result + rest - (cut ? 1 : 0);
}

constexpr Table kAvx512{Path::kAvx512,
                        count_avx512,
                        count_runs_avx512,
                        combine_avx512<Op::kUnite>,
                        combine_avx512<Op::kIntersect>,
                        combine_avx512<Op::kSubtract>,
                        combine_avx512<Op::kFlip>,
                        combine_runs_avx512<Op::kUnite>,
                        combine_runs_avx512<Op::kIntersect>,
                        combine_runs_avx512<Op::kSubtract>,
                        combine_runs_avx512<Op::kFlip>,
                        includes_avx2,
                        overlaps_avx2};

bool has(Path path) noexcept {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
  if (path == Path::kPortable) return true;
  if (path == Path::kAvx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vpopcntdq");
}

const Table& of(Path path) noexcept {
  return path == Path::kAvx512 ? kAvx512 : path == Path::kAvx2 ? kAvx2 : kPortable;
}

#else

bool has(Path path) noexcept { return path == Path::kPortable; }
const Table& of(Path) noexcept { return kPortable; }

#endif

constinit const Table* chosen = nullptr;

}  // namespace

const Table& table() noexcept {
  if (chosen == nullptr) {
    if (!use(Path::kAvx512) && !use(Path::kAvx2)) use(Path::kPortable);
  }
  return *chosen;
}

bool use(Path path) noexcept {
  if (!has(path)) return false;
  chosen = &of(path);
  return true;
}

}  // namespace chatopt::core::kernels
