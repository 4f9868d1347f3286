#include "cli/command_build.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "builder/builder.h"
#include "builder/workspace.h"
#include "cli/app_choice.h"
#include "cli/interrupt.h"
#include "cli/stream.h"
#include "cli/text.h"
#include "host/cgroup.h"
#include "host/claims.h"
#include "host/templates.h"
#include "host/users.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>

namespace upaas::cli {
namespace {

namespace fs = std::filesystem;

/// Who the app's own commands run as: root builds as a user of upaas's range that nobody else on
/// this machine uses meanwhile; anybody else as themselves.
class BuildUser {
 public:
  explicit BuildUser(const fs::path& work) : uid_{::getuid()} {
    if (::getuid() != 0) return;
    owner_.emplace(work);
    claims_.emplace("uid", model::Range<std::uint32_t>{200'000, 265'535}, owner_->path(),
                    host::Claims::Options{});
    const auto taken = claims_->take();
    if (!taken)
      throw Error(ErrorKind::no_capacity, "no free uid from 200000 to 265535 to build with");
    uid_ = {*taken};
  }
  ~BuildUser() {
    if (claims_ && !host::runs_anything(uid_)) claims_->release(uid_.value);
  }
  BuildUser(const BuildUser&) = delete;
  BuildUser& operator=(const BuildUser&) = delete;
  [[nodiscard]] model::Uid uid() const { return uid_; }

 private:
  std::optional<builder::LivingDirectory> owner_;  // once it is gone, so is the claim
  std::optional<host::Claims> claims_;
  model::Uid uid_;
};

/// Shows the builder's stages as phases, or as lines of a stream.
class Shown {
 public:
  explicit Shown(Context& context)
      : context_(context), progress_(context.err, context.terminal, context.quiet) {}

  [[nodiscard]] builder::Progress callbacks(std::stop_token stop) {
    return {.on_stage = [this](std::string_view name) { next(std::string(name)); },
            .on_line = [this](std::string_view text) { line(std::string(text)); },
            .on_reason =
                [this](std::string_view text) {
                  reasons_.emplace_back(text);
                  line("       " + std::string(text));
                },
            .stop = std::move(stop)};
  }
  void end(const char* state) {
    if (!stage_.empty()) tell({stage_, state, seconds_since(begin_)});
    stage_.clear();
  }
  [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }

 private:
  void next(std::string name) {
    end("done");
    stage_ = std::move(name);
    begin_ = Steady::now();
    tell({stage_, "running", 0});
  }
  void line(const std::string& text) {
    if (context_.format == Format::jsonl) {
      context_.out << wire::text_line(text) << std::flush;
    } else {
      progress_.line(text);
    }
  }
  void tell(const wire::Step& step) {
    if (context_.format == Format::jsonl) {
      context_.out << wire::step_line(step) << std::flush;
    } else {
      progress_.step(step);
    }
  }

  Context& context_;
  Progress progress_;
  std::string stage_;
  std::vector<std::string> reasons_;
  Steady::time_point begin_;
};

/// $XDG_CACHE_HOME/upaas, else ~/.cache/upaas; nothing is kept without a home.
fs::path cache_directory(const Environment& env) {
  if (const auto cache = variable(env, "XDG_CACHE_HOME")) return fs::path(*cache) / "upaas";
  const auto home = variable(env, "HOME");
  return home ? fs::path(*home) / ".cache" / "upaas" : fs::path();
}

/// Where this user's builds happen: one place, so that what a killed one left is found.
class BuildPlace {
 public:
  explicit BuildPlace(const Environment& env)
      : directory_(fs::path(variable(env, "TMPDIR").value_or("/tmp")) /
                   fmt::format("upaas-build-{}", ::getuid())) {
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
      throw system_error(directory_.native());
    struct stat info {};
    if (::lstat(directory_.c_str(), &info) != 0) throw system_error(directory_.native());
    if (!S_ISDIR(info.st_mode) || info.st_uid != ::getuid()) {
      throw Error(ErrorKind::conflict, directory_.native() + " belongs to somebody else",
                  "set TMPDIR to a directory of your own");
    }
    make_directory(directory_, 0700);
    // The same path is another place in another mount namespace.
    name_ = fmt::format("cli-{:x}-{:x}", info.st_dev, info.st_ino);
  }
  [[nodiscard]] const fs::path& directory() const { return directory_; }
  /// Of the directory itself, on this machine.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  fs::path directory_;
  std::string name_;
};

/// As on a server, where this machine lets us: a place for the build's group, gone afterwards.
class BuildGroups {
 public:
  explicit BuildGroups(const std::string& name) {
    if (::getuid() != 0) return;
    try {
      root_ = host::CgroupRoot::find(name);
      (void)root_->support();
    } catch (const Error&) {
      root_.reset();
    }
  }
  ~BuildGroups() {
    if (root_) root_->remove();
  }
  BuildGroups(const BuildGroups&) = delete;
  BuildGroups& operator=(const BuildGroups&) = delete;
  [[nodiscard]] const std::optional<host::CgroupRoot>& root() const { return root_; }

 private:
  std::optional<host::CgroupRoot> root_;
};

builder::Built build(Context& context, const AppFile& file,
                     std::shared_ptr<const model::Interpreters> interpreters,
                     const fs::path& output, Shown& shown, std::stop_token stop) {
  const BuildPlace place(context.env);
  const BuildGroups groups(place.name());
  builder::clean_up(place.directory(), groups.root());
  const BuildUser user(place.directory());
  const auto directory = source_directory(file);
  try {
    builder::Built built = builder::build(
        {.app = file.name,
         .spec = file.spec,
         .source_directory = directory,
         .source_archive = {},
         .leave_out =
             directory ? not_of_the_app(file, *directory, output) : std::set<std::string>(),
         .fresh = context.arguments.has("fresh"),
         .interpreter_version = context.arguments.value("interpreter-version")},
        {.work = place.directory(),
         .full_kind = ErrorKind::internal,
         .full_hint = fmt::format("builds happen in TMPDIR ({}): free disk space there, or name "
                                  "another directory: TMPDIR=DIRECTORY upaas build",
                                  place.directory().parent_path().string()),
         .uid = user.uid(),
         .cgroups = groups.root(),
         .env = {},
         .files = {},
         .compression = context.arguments.has("small") ? bundle::Compression::small
                                                       : bundle::Compression::fast,
         .interpreters = std::move(interpreters),
         .cache = cache_directory(context.env),
         .has_bundle =
             [&](const model::BundleId& id) {
               std::error_code none;
               return fs::is_regular_file(output, none) && sha256_file(output) == id.str();
             }},
        output, shown.callbacks(std::move(stop)));
    shown.end("done");
    return built;
  } catch (const Error&) {
    shown.end("failed");
    throw;
  }
}

Json result(const builder::Built& built, const Shown& shown, const std::string& file,
            double seconds) {
  Json stages = Json::array();
  for (const builder::Stage& stage : built.stages)
    stages.push_back({{"name", stage.name}, {"seconds", stage.seconds}});
  return {{"schema", "upaas.build/v1"},
          {"bundle", built.packed.id.str()},
          {"file", file},
          {"bytes", built.packed.bytes},
          {"reused", built.reused},
          {"explained", shown.reasons()},
          {"seconds", seconds},
          {"stages", stages}};
}

}  // namespace

int run_build(Context& context) {
  const Interrupt interrupt;
  const Steady::time_point begin = Steady::now();
  auto interpreters = std::make_shared<const model::Interpreters>(
      host::shipped_interpreters(host::find_templates()));
  const AppFile file = read_app_file(context, interpreters.get());
  const std::string name = context.arguments.value("out").value_or(file.name.str() + ".tar.gz");
  const fs::path output = context.cwd / name;
  std::error_code none;
  if (!fs::is_directory(output.parent_path(), none)) {
    throw Error(ErrorKind::invalid, "--out: there is no directory " + output.parent_path().native(),
                "make it first, or name another place");
  }
  Shown shown(context);
  const builder::Built built =
      build(context, file, std::move(interpreters), output, shown, interrupt.token());
  const double seconds = seconds_since(begin);
  const Json object = result(built, shown, name, seconds);
  if (context.format == Format::json) print_json(context, object);
  if (context.format == Format::jsonl) context.out << wire::result_line(object);
  if (context.format == Format::text) {
    context.out << built.packed.id.str() << "\n";
    if (context.arguments.has("explain")) {
      for (const std::string& reason : shown.reasons()) context.out << "  " << reason << "\n";
    }
    if (!context.quiet) {
      context.err << fmt::format("{}: {} files, {}, {}\n", name, built.packed.entries,
                                 bytes_text(built.packed.bytes), seconds_text(seconds));
    }
  }
  return 0;
}

}  // namespace upaas::cli
