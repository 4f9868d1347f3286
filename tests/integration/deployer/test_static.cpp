#include "base/clock.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

using namespace upaas;
namespace fs = std::filesystem;

namespace {

std::string header(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "(absent)";
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

TEST_CASE("a static site serves its files and nothing else") {
  test::Platform platform;
  deployer::Start start = platform.prepare("site", test::static_site(),
                                           {{"public/index.html", "front"},
                                            {"public/sub/index.html", "sub"},
                                            {"public/a.css", "a{}"},
                                            {"public/a.svg", "<svg/>"},
                                            {"public/.env", "SECRET=1"},
                                            {"public/.git/config", "x"},
                                            {"public/.well-known/x", "for others"},
                                            {"public/.well-known/.env", "SECRET=2"},
                                            {"secret.txt", "secret"}});
  test::set(start.release.runtime, "root", "public");
  const fs::path root = platform.options.layout.trees() / start.release.bundle.str() / "public";
  fs::create_symlink("/etc/hostname", root / "host");
  fs::create_symlink("/home/vassal.ini", root / "ini");
  fs::create_symlink("/home/app", root / "up");
  fs::create_symlink("a.css", root / "link.css");
  platform.run(start);

  CHECK(platform.get(start, "/").body == "front");
  CHECK(platform.get(start, "/sub/").body == "sub");
  CHECK(platform.get(start, "/link.css").body == "a{}");
  CHECK(platform.get(start, "/.well-known/x").body == "for others");
  CHECK(header(platform.get(start, "/").head, "Content-Type") == "text/html");
  CHECK(header(platform.get(start, "/a.css").head, "Content-Type") == "text/css");
  CHECK(header(platform.get(start, "/a.svg").head, "Content-Type") == "image/svg+xml");
  CHECK(header(platform.get(start, "/a.css").head, "X-Upaas-Instance") == start.instance.id.str());
  for (const char* path :
       {"/nothing", "/.env", "/%2eenv", "/.git/config", "/.well-known/.env", "/.well-known/../.env",
        "/.well-known", "/host", "/ini", "/up/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt",
        "/sub/../../secret.txt", "/secret.txt"}) {
    INFO(path);
    CHECK(platform.get(start, path).status == 404);
  }
}

TEST_CASE("the root of a static site may have a blank in its name, and so may its files") {
  test::Platform platform;
  deployer::Start start = platform.prepare("site", test::static_site(),
                                           {{"my site/index.html", "front"},
                                            {"my site/the docs/index.html", "docs"},
                                            {"my site/a b.txt", "ab"},
                                            {"secret.txt", "secret"}});
  test::set(start.release.runtime, "root", "my site");
  platform.run(start);
  CHECK(platform.get(start, "/").body == "front");
  CHECK(platform.get(start, "/a%20b.txt").body == "ab");
  CHECK(platform.get(start, "/the%20docs/").body == "docs");
  const test::Answer moved = platform.get(start, "/the%20docs");
  CHECK(moved.status == 301);
  CHECK(header(moved.head, "Location") == "/the%20docs/");
  CHECK(platform.get(start, "/secret.txt").status == 404);
  CHECK(platform.get(start, "/nothing").status == 404);
}

TEST_CASE("a browser is told that nothing changed, but not after a rollback") {
  test::Platform platform;
  const deployer::Start first =
      platform.prepare("site", test::static_site(), {{"index.html", "old"}});
  const fs::path page = platform.options.layout.trees() / first.release.bundle.str() / "index.html";
  fs::last_write_time(page, fs::file_time_type::clock::now() - std::chrono::hours(48));
  platform.run(first);
  const std::string seen = header(platform.get(first, "/").head, "Last-Modified");
  CHECK(platform.get(first, "/", {{"HTTP_IF_MODIFIED_SINCE", seen}}).status == 304);

  // Two days ago it was replaced; who has seen its successor since then must get it again.
  CHECK(fs::file_time_type::clock::now() - fs::last_write_time(page) < std::chrono::minutes(5));
}
