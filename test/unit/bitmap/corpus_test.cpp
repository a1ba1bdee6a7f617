// Values as they are stored, of every form (test/corpus/receipt_bitmap.txt): they must read back, be written the same,
// and hash the same, for ever. Add lines, never change one.
#include "core/bitmap/bitmap.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

Encoded from_hex(const std::string& hex) {
  Encoded result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    result.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return exact(result);
}

TEST(BitmapCorpus, StoredValuesReadBack) {
  std::ifstream file(CHATOPT_TEST_DIR "/corpus/receipt_bitmap.txt");
  ASSERT_TRUE(file.is_open());
  std::set<unsigned> forms;
  std::set<unsigned> chunk_forms;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string hex;
    std::string hash;
    std::string text;
    fields >> hex >> hash >> text;
    const Encoded set = from_hex(hex);
    SCOPED_TRACE(text.substr(0, 80));
    ASSERT_TRUE(bitmap_is_valid(set));
    EXPECT_EQ(text_of(set), text);
    EXPECT_EQ(parsed(text), set);
    EXPECT_EQ(bitmap_hash(set, 0), std::stoull(hash, nullptr, 16));
    forms.insert(std::to_integer<unsigned>(set[0]));
    if (!bitmap_is_chunked(set)) continue;
    const Count chunks = std::to_integer<Count>(set[2]) + 1;
    for (Count i = 0; i < chunks; ++i)
      chunk_forms.insert(std::to_integer<unsigned>(set[static_cast<std::size_t>(15 + 8 * i)]) >> 6);
  }
  EXPECT_EQ(forms, (std::set<unsigned>{0x10, 0x11, 0x12, 0x13, 0x14, 0x15}));
  EXPECT_EQ(chunk_forms, (std::set<unsigned>{0, 1, 2, 3}));
}

}  // namespace
