// Values as they were stored by a released version, of every form. They must
// read back, and hash the same, for ever: add lines, never change one.

#include <string_view>

#include "twin.hpp"

namespace {

using namespace chatopt::test;

struct Stored {
  std::string_view bytes;
  std::string_view text;
  std::uint64_t hash;
};

constexpr Stored kGeneration1[] = {
    {"1010", "{recipients={},delivered={},seen={}}", 0x080f45573e77933d},
    {"101300", "{recipients={0},delivered={},seen={}}", 0xd10f80c2670f6577},
    {"1011001d", "{recipients={0-29},delivered={},seen={}}", 0xee3140923c9e1bee},
    {"1111001d", "{recipients={0-29},delivered={0-29},seen={}}", 0xadee9b469d8cd83d},
    {"1511001d", "{recipients={0-29},delivered={0-29},seen={0-29}}", 0x6a590fe187fdf146},
    {"190311001d120055555515", "{recipients={0-29},delivered={0-29},seen={0,2,4,6,8,10,12,14,16,18,20,22,24,26,28}}",
     0x4a1dbef508765edc},
    {"120311001d11000c", "{recipients={0-29},delivered={0-12},seen={}}", 0x05677667481c0670},
    {"160311001d11000c", "{recipients={0-29},delivered={0-12},seen={0-12}}", 0x59836e0a73efc7b1},
    {"1a0311001d0311000c110003", "{recipients={0-29},delivered={0-12},seen={0-3}}", 0xb644c3699e97b056},
    {"1a0311001d05120022021013050e", "{recipients={0-29},delivered={1,5,9,20},seen={5,20}}", 0xb3e453be5b3f46bf},
    {"1a0c1303e407879b048eddfbff070813e80796f8ffff0712ffffff7f80",
     "{recipients={3,1000,70000,2147483647},delivered={1000,2147483647},seen={2147483647}}", 0x18c0b62980e4b024},
    {"19071100ffffffff071311", "{recipients={0-2147483647},delivered={0-2147483647},seen={17}}", 0xec578db73dc7ff0f},
    {"1a091400095963bf25e707031164631196010a",
     "{recipients={0-9,100-199,5000-5999},delivered={100-199},seen={150-160}}", 0xf2fc16fd617dfe94},
};

Encoding from_hex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Encoding result;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    result.push_back(static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return result;
}

TEST(ReceiptsStored, ReadBack) {
  for (const Stored& stored : kGeneration1) {
    SCOPED_TRACE(stored.text);
    const Encoding encoding = from_hex(stored.bytes);
    ASSERT_TRUE(chatopt::core::receipts_is_valid(encoding));
    EXPECT_EQ(text_of(encoding), stored.text);
    EXPECT_EQ(receipts_hash(chatopt::core::receipts_view(encoding), 0), stored.hash);
  }
}

}  // namespace
