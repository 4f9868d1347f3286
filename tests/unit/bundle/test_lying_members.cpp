// Gzip members whose own words about themselves are wrong: each is refused with a reason, in
// bounded memory, before anything is where it should go.
#include "bundle/gzip_member.h"
#include "support.h"

#include <catch2/catch.hpp>

#include <functional>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

namespace {

constexpr std::size_t kPackedAt = 16;  // in a member's header
constexpr std::size_t kUnpackedAt = 20;

void put32(std::string& text, std::size_t at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) text[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

std::string member(std::string_view bytes) {
  MemberPacker packer(Compression::fast);
  return std::string(packer.pack(bytes));
}

/// A good bundle as its members.
struct Row {
  TempDir dir;
  std::vector<std::string> members;
  Row() {
    plant(dir.path() / "tree");
    put(dir.path() / "tree/large", std::string(3 << 20, 'x') + "y");
    const fs::path file = dir.path() / "b.tar.gz";
    static_cast<void>(pack(dir.path() / "tree", spec(), runtime(), file));
    for (std::string rest = read_file(file); !rest.empty();) {
      const std::size_t size = member_sizes(rest).value().packed;
      members.push_back(rest.substr(0, size));
      rest.erase(0, size);
    }
    fs::remove(file);
  }
  [[nodiscard]] std::string error(const Limits& limits = {}) const {
    std::string all;
    for (const std::string& m : members) all += m;
    const fs::path file = dir.path() / "lies.tar.gz";
    write_file(file, all, {.sync = false});
    const fs::path out = dir.path() / "out";
    const Error e = error_of([&] { unpack(file, out, {.stamp = kStamp, .limits = limits}); });
    CHECK_FALSE(fs::exists(out));
    CHECK(sh("ls -A " + dir.path().string()).output == "lies.tar.gz\ntree\n");
    CHECK(e.kind() == ErrorKind::invalid);
    return e.message();
  }
};

struct Case {
  std::string name;
  std::string reason;
  std::function<void(std::vector<std::string>& members)> lie;
};

std::vector<Case> cases() {
  using Members = std::vector<std::string>;
  return {
      {"packed size too small", "something else follows",
       [](Members& m) { put32(m[1], kPackedAt, m[1].size() - 1); }},
      {"packed size of nothing", "ends too early", [](Members& m) { put32(m[1], kPackedAt, 0); }},
      {"packed size of the header", "ends too early",
       [](Members& m) { put32(m[1], kPackedAt, kMemberHeader); }},
      {"packed size into the next member", "something else follows",
       [](Members& m) { put32(m[1], kPackedAt, m[1].size() + 5); }},
      {"packed size over a whole member", "damaged",
       [](Members& m) { put32(m[1], kPackedAt, m[1].size() + m[2].size()); }},
      {"packed size beyond the file", "ends too early",
       [](Members& m) { put32(m.back(), kPackedAt, 0xffffffff); }},
      {"unpacked size too small", "damaged", [](Members& m) { put32(m[1], kUnpackedAt, 511); }},
      {"unpacked size of nothing", "damaged", [](Members& m) { put32(m[1], kUnpackedAt, 0); }},
      {"unpacked size too large", "damaged",
       [](Members& m) { put32(m[1], kUnpackedAt, kMemberMost); }},
      {"unpacked size without bounds", "too large",
       [](Members& m) { put32(m[1], kUnpackedAt, 0xffffffff); }},
      {"another program's member in the middle", "something else follows",
       [](Members& m) { m[1][3] = 0; }},
      {"a wrong checksum", "damaged",
       [](Members& m) { m[1][m[1].size() - 8] = static_cast<char>(m[1][m[1].size() - 8] ^ 1); }},
      {"a wrong length at its end", "damaged",
       [](Members& m) { m[1][m[1].size() - 1] = static_cast<char>(m[1][m[1].size() - 1] ^ 1); }},
      {"a member twice", "twice", [](Members& m) { m.insert(m.begin() + 1, m[1]); }},
      {"a member less", "not at its place", [](Members& m) { m.erase(m.begin() + 1); }},
      {"a piece of a file less", "", [](Members& m) { m.erase(m.end() - 3); }},
      {"no end", "cut off", [](Members& m) { m.pop_back(); }},
      {"more behind the end", "follows the end",
       [](Members& m) { m.push_back(member(std::string(512, 'x'))); }},
  };
}

}  // namespace

TEST_CASE("Members that lie about themselves are refused") {
  for (const Case& one : cases()) {
    Row row;
    one.lie(row.members);
    INFO(one.name);
    const std::string message = row.error();
    INFO(message);
    CHECK(message.find(one.reason) != std::string::npos);
  }
}

TEST_CASE("Members without number, and bombs of members, are refused before they are unpacked") {
  Row row;
  const std::string nothing = member("");
  std::string many;
  for (int i = 0; i < 3000; ++i) many += nothing;
  row.members.insert(row.members.begin() + 1, many);
  CHECK(row.error({.entries = 100, .total_bytes = 8 << 20}).find("too many members") !=
        std::string::npos);
  Row bomb;
  const std::string zeros = member(std::string(kMemberMost, '\0'));
  for (int i = 0; i < 40; ++i) bomb.members.insert(bomb.members.begin() + 1, zeros);
  CHECK(bomb.error().find("times its size") != std::string::npos);
}

TEST_CASE("An empty member between others changes nothing") {
  Row row;
  row.members.insert(row.members.begin() + 1, member(""));
  std::string all;
  for (const std::string& m : row.members) all += m;
  write_file(row.dir.path() / "b.tar.gz", all);
  CHECK(verify(row.dir.path() / "b.tar.gz").entries.size() > 10);
}
