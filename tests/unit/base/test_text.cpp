#include "base/text.h"

#include <catch2/catch.hpp>

using namespace upaas;

TEST_CASE("what is told of a command has no credentials in it") {
  CHECK(without_credentials("`git clone https://me:secret@host/x y`: exit code 1") ==
        "`git clone https://***@host/x y`: exit code 1");
  CHECK(without_credentials("http://a@b http://c:d@e") == "http://***@b http://***@e");
  CHECK(without_credentials("http://a:b@c@d/") == "http://***@d/");
  for (const char* plain : {"", "no url", "https://host/a@b", "see https://host, or me@host",
                            "https://", "a https:// b@c"})
    CHECK(without_credentials(plain) == plain);
}

TEST_CASE("sizes are short") {
  CHECK(bytes_text(512) == "512 B");
  CHECK(bytes_text(1434) == "1.4 KiB");
  CHECK(bytes_text(3 << 20) == "3.0 MiB");
}
