#include "model/app_yaml.h"
#include "tests/support/golden.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace upaas;
using namespace upaas::model;

TEST_CASE("the schema is the one in tests/golden") {
  test::check_golden("tests/golden/app.schema.json", dump_json_pretty(app_yaml_schema()));
}

TEST_CASE("the reference page is docs/app-yaml.md") {
  test::check_golden("docs/app-yaml.md", app_yaml_reference());
}

TEST_CASE("every example of the reference page is an app that can be read") {
  const std::string page = app_yaml_reference();
  const std::string fence = "```yaml\n";
  int examples = 0;
  for (std::size_t at = page.find(fence); at != page.npos; at = page.find(fence, at)) {
    at += fence.size();
    CHECK_NOTHROW(read_app_yaml(page.substr(at, page.find("```", at) - at), "docs/app-yaml.md"));
    ++examples;
  }
  CHECK(examples == 2);
}

TEST_CASE("the corpus holds apps that can be read and apps that are refused") {
  const std::filesystem::path corpus =
      std::filesystem::path(UPAAS_SOURCE_DIR) / "tests/fuzz/corpus/app_yaml";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::stringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    INFO(entry.path());
    ++files;
    if (entry.path().filename().string().starts_with("good")) {
      CHECK_NOTHROW(read_app_yaml(text.str(), "f"));
    } else {
      CHECK_THROWS_AS(read_app_yaml(text.str(), "f"), Error);
    }
  }
  CHECK(files >= 20);
}
