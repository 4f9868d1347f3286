#include "base/error.h"
#include "base/files.h"
#include "cli/app_choice.h"
#include "console.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::cli;
using test::Console;

namespace {

/// A project: DIR/My Shop/app.yaml, with a directory below it.
struct Project {
  Project() {
    std::filesystem::create_directories(below);
    write_file(root / "app.yaml", "name: shop\nprocesses: {web: ./serve}\n");
  }
  TempDir directory;
  std::filesystem::path root = directory.path() / "My Shop";
  std::filesystem::path below = root / "src/deep";
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid);
    return error.message();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("an app is chosen by -a, argument, UPAAS_APP, then the nearest app.yaml") {
  const Project project;
  Console console(project.below);
  CHECK(choose_app(console.context).str() == "shop");
  console.context.env["UPAAS_APP"] = "from-env";
  CHECK(choose_app(console.context).str() == "from-env");
  console.context.arguments.set("APP", "from-argument");
  CHECK(choose_app(console.context).str() == "from-argument");
  console.context.arguments.set("app", "from-option");
  CHECK_THAT(message_of([&] { (void)choose_app(console.context); }), Catch::Contains("two apps"));
  console.context.arguments.set("APP", "from-option");
  CHECK(choose_app(console.context).str() == "from-option");
}

TEST_CASE("without any of them the user is told what to write") {
  const TempDir empty;
  Console console(empty.path());
  CHECK(console.run({"logs"}) == 4);
  CHECK_THAT(console.err.str(), Catch::Contains("-a APP"));
}

TEST_CASE("a name that is none is refused where it came from") {
  Console console;
  console.context.env["UPAAS_APP"] = "../x";
  CHECK_THAT(message_of([&] { (void)named_app(console.context); }),
             Catch::StartsWith("UPAAS_APP: app name"));
}

TEST_CASE("an empty UPAAS_APP is none") {
  Console console;
  console.context.env["UPAAS_APP"] = "";
  CHECK_FALSE(named_app(console.context).has_value());
}

TEST_CASE("the nearest app.yaml is looked for upwards") {
  const Project project;
  CHECK(nearest_app_yaml(project.below) == project.root / "app.yaml");
  CHECK(nearest_app_yaml(project.root) == project.root / "app.yaml");
}

TEST_CASE("FILE is a file or its directory, and errors show it as it was written") {
  const Project project;
  Console console(project.directory.path());
  console.context.arguments.set("FILE", "My Shop");
  const AppFile file = read_app_file(console.context);
  CHECK(file.shown == "My Shop/app.yaml");
  CHECK(file.name.str() == "shop");
  CHECK(source_directory(file) == std::filesystem::canonical(project.root));

  write_file(project.root / "app.yaml", "name: shop\nscale: [1\n");
  CHECK_THAT(message_of([&] { (void)read_app_file(console.context); }),
             Catch::StartsWith("My Shop/app.yaml:"));
}

TEST_CASE("a file that is named decides, not UPAAS_APP") {
  const Project project;
  Console console(project.root);
  console.context.env["UPAAS_APP"] = "other";
  CHECK_THROWS_AS(read_app_file(console.context), Error);
  console.context.arguments.set("FILE", "app.yaml");
  CHECK(read_app_file(console.context).name.str() == "shop");
}

TEST_CASE("a missing source directory is shown with its place in the file") {
  const Project project;
  write_file(project.root / "app.yaml",
             "name: shop\n\nsource:   nowhere\nprocesses: {web: ./serve}\n");
  Console console(project.root);
  CHECK(console.run({"validate"}) == 4);
  CHECK_THAT(console.err.str(),
             Catch::StartsWith("error: app.yaml:3:11: source: there is no directory"));
}

TEST_CASE("an app.yaml of 10 MB is refused by its size") {
  const Project project;
  write_file(project.root / "app.yaml", std::string(10 << 20, '#'));
  Console console(project.root);
  CHECK(console.run({"validate"}) == 4);
  CHECK_THAT(console.err.str(), Catch::Contains("app.yaml"));
}

TEST_CASE("a missing app.yaml is a usage error that says what writes one") {
  const TempDir empty;
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"validate", "none.yaml"}, {"deploy"}, {"build", "."}}) {
    Console console(empty.path());
    CHECK(console.run(words) == 4);
    CHECK_THAT(console.err.str(), Catch::Contains("hint: write one: upaas init"));
  }
}

TEST_CASE("what is not the app's own is left out of what is sent: its app.yaml and its bundles") {
  const Project project;
  write_file(project.root / "app.yaml", "name: shop\nprocesses: {web: ./serve}\n");
  Console console(project.root);
  console.context.arguments = {};
  const AppFile file = read_app_file(console.context);
  CHECK(not_of_the_app(file, project.root, project.root / "out.tgz") ==
        std::set<std::string>{"app.yaml", "out.tgz", "shop.tar.gz"});
  make_directory(project.root / "public");
  CHECK(not_of_the_app(file, project.root / "public") == std::set<std::string>{"shop.tar.gz"});
}

TEST_CASE("which options of uWSGI are safe is the server's to say, validate knows the defaults") {
  const TempDir directory;
  write_file(directory.path() / "app.yaml",
             "name: shop\nprocesses: {web: x}\nuwsgi: {settings: ['buffer-size = 8192']}\n");
  Console console(directory.path());
  CHECK(read_app_file(console.context).spec.uwsgi_settings.size() == 1);
  CHECK(console.run({"validate"}) == 4);
  CHECK_THAT(console.err.str(), Catch::Contains("app.yaml:3:20: uwsgi.settings: the option"));
}

TEST_CASE("an app.yml is said to be there under another name") {
  const TempDir directory;
  write_file(directory.path() / "app.yml", "name: shop\n");
  Console console(directory.path());
  CHECK(console.run({"validate"}) == 4);
  CHECK_THAT(console.err.str(), Catch::Contains("mv app.yml app.yaml"));
}
