#include "bundle/tar_header.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace upaas;
using namespace upaas::bundle;

namespace {

Entry entry(Entry::Type type, const std::string& path) {
  return {.path = model::TreePath(path),
          .type = type,
          .executable = false,
          .size = 0,
          .sha256 = {},
          .target = {}};
}

std::vector<Entry> many_entries() {
  std::vector<Entry> entries;
  for (const std::size_t length : {1, 2, 50, 98, 99, 100, 101, 155, 156, 157, 200}) {
    const std::string path(length, 'n');
    entries.push_back(entry(Entry::Type::directory, path));
    entries.push_back(entry(Entry::Type::directory, "d/" + path));
    for (const std::uint64_t size :
         {0ULL, 1ULL, 511ULL, 512ULL, 4095ULL, 1ULL << 32, (1ULL << 33) - 1, 1ULL << 33}) {
      for (const bool executable : {false, true}) {
        entries.push_back(entry(Entry::Type::file, path));
        entries.back().executable = executable;
        entries.back().size = size;
      }
    }
    for (const std::string& target : {std::string("a"), std::string("../b/c"), path}) {
      entries.push_back(entry(Entry::Type::symlink, "link"));
      entries.back().target = target;
    }
  }
  for (const char* path : {"a b", "-", "\xC3\xBCml\xC3\xA4ut", "a/\xE2\x82\xAC", "~", "x\"y\\z"}) {
    entries.push_back(entry(Entry::Type::file, path));
    entries.push_back(entry(Entry::Type::directory, path));
    entries.push_back(entry(Entry::Type::symlink, path));
    entries.back().target = path;
  }
  return entries;
}

}  // namespace

TEST_CASE("A header that is filled in is the one that libarchive makes") {
  for (const Entry& entry : many_entries()) {
    Bytes filled_in;
    append_tar_header(entry, filled_in);
    Bytes made;
    append_archive_header(entry, made);
    INFO(entry.path.str() << " " << entry.size << " " << entry.target);
    CHECK(filled_in.view() == made.view());
    CHECK(filled_in.size() <= tar_header_estimate(entry));
  }
}
