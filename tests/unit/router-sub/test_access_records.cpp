#include "base/files.h"
#include "router-sub/access_records.h"

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include <filesystem>
#include <fstream>

using namespace upaas;
using router_sub::AccessWindow;
using router_sub::read_access_record;

namespace {

std::string line(std::string_view host, int status, std::string_view front = "",
                 double seconds = 0.01, std::string_view path = "/x") {
  return fmt::format(
      R"({{"time":1732480000.123,"host":"{}","status":{},"upstream_status":"{}","seconds":{:.3f},)"
      R"("method":"GET","path":"{}","bytes":12,"client":"127.0.0.1","instance":"blog--v1--a2b3",)"
      R"("front":"{}"}})",
      host, status, status, seconds, path, front);
}

void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::app) << text;
}

}  // namespace

TEST_CASE("a record of nginx is read field by field, whatever a visitor wrote into it") {
  const std::string text = line("blog.test", 502, "error", 1.5, R"(/\",\"front\":\"\",\"\\)");
  const auto record = read_access_record(text);
  REQUIRE(record);
  CHECK(record->host == "blog.test");
  CHECK(record->status == 502);
  CHECK(record->took == std::chrono::milliseconds(1500));
  CHECK(record->method == "GET");
  CHECK(record->path == R"(/\",\"front\":\"\",\"\\)");
  CHECK(record->instance == "blog--v1--a2b3");
  CHECK(record->front == "error");
}

TEST_CASE("what is not a record of ours is none") {
  const std::string good = line("blog.test", 200);
  CHECK(read_access_record(good));
  CHECK_FALSE(read_access_record(""));
  CHECK_FALSE(read_access_record(good + "x"));
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(read_access_record(std::string_view(good).substr(0, length)));
  CHECK_FALSE(read_access_record(line("blog.test", 200, "", 1e9)));
}

TEST_CASE("failed is what nginx answered itself; an app's errors and who left are counted apart") {
  const TempDir directory("/tmp");
  const auto log = directory.path() / "access.log";
  append(log, line("blog.test", 502, "error") + "\n");  // before the window
  AccessWindow window(log, {model::Domain("blog.test")}, std::chrono::seconds(30));
  append(log, line("blog.test", 200) + "\n" + line("blog.test", 500) + "\n" +
                  line("blog.test", 499) + "\n" + line("blog.test", 404) + "\n");
  append(log, line("blog.test", 404, "unknown", 0.001, "/first") + "\n" +
                  line("blog.test", 503, "down") + "\n" + line("blog.test", 502, "error", 30.001) +
                  "\n" + line("shop.test", 502, "error") + "\n" + "not a record\n");
  const auto& count = window.read();
  CHECK(count.total == 7);
  CHECK(count.failed == 2);
  CHECK(count.cut == 1);
  CHECK(count.app_errors == 1);
  CHECK(count.client_gone == 1);
  CHECK(count.first_failure == "404 for GET /first");
}

TEST_CASE("a window goes on over a rotation, and over a line that is half written") {
  const TempDir directory("/tmp");
  const auto log = directory.path() / "access.log";
  AccessWindow window(log, {model::Domain("blog.test")}, std::chrono::seconds(30));
  CHECK(window.read().total == 0);  // there is no file yet
  const std::string text = line("blog.test", 200) + "\n";
  append(log, text + text.substr(0, 40));
  CHECK(window.read().total == 1);
  append(log, text.substr(40));
  CHECK(window.read().total == 2);
  std::filesystem::rename(log, directory.path() / "access.log.1");
  append(directory.path() / "access.log.1", text);  // nginx has not opened the new one yet
  append(log, text + text);
  CHECK(window.read().total == 5);
  append(log, text);
  CHECK(window.read().total == 6);
}
