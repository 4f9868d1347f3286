#include "model/app_yaml_table.h"

namespace upaas::model {
namespace {

using T = ValueType;

template <typename Type>
Type take(Value&& value) {
  return std::get<Type>(std::move(value));
}

Repository& repository(AppSpec& spec) {
  if (!spec.repository) spec.repository.emplace();
  return *spec.repository;
}

constexpr std::int64_t kScriptBytes = 100'000;
constexpr std::int64_t kEnvBytes = std::int64_t{1} << 20;
constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kHour = 3600 * kSecond;

constexpr Key kKeys[] = {
    {.path = "name",
     .type = T::app_name,
     .doc = "The app's name. Absent: the one given with `-a`, else the name of the directory.",
     .store = [](AppSpec& s, Value&& v) { s.name = take<AppName>(std::move(v)); }},
    {.path = "source",
     .type = T::source_path,
     .least = 1,
     .most = 4096,
     .default_text = "the directory of the app.yaml",
     .doc = "The directory with the app's files; relative to the app.yaml. `.upaasignore` and "
            "`.gitignore` in it are honoured.",
     .store = [](AppSpec& s, Value&& v) { s.source = take<std::string>(std::move(v)); }},

    {.path = "repository", .doc = "Where the builder gets the app's files, instead of `source`."},
    {.path = "repository.clone",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .doc = "Gets the files for the first time, into the directory `%destination%`. Required in a "
            "`repository`.",
     .store = [](AppSpec& s, Value&& v) { repository(s).clone = take<Script>(std::move(v)); }},
    {.path = "repository.update",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .doc =
         "Brings what was cloned before up to date, in its directory. Absent: it is cloned anew.",
     .store = [](AppSpec& s, Value&& v) { repository(s).update = take<Script>(std::move(v)); }},
    {.path = "repository.env",
     .type = T::env_map,
     .most = kEnvBytes,
     .doc = "Environment of `clone` and `update`.",
     .store =
         [](AppSpec& s, Value&& v) {
           repository(s).env = take<std::map<EnvName, std::string>>(std::move(v));
         }},
    {.path = "repository.revision",
     .doc = "Commands that describe the revision; they run in the directory that was cloned."},
    {.path = "repository.revision.id",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .default_text = "what git, svn, hg or bzr says",
     .doc = "Prints the revision.",
     .store = [](AppSpec& s,
                 Value&& v) { repository(s).revision.id = take<Script>(std::move(v)); }},
    {.path = "repository.revision.author",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .default_text = "the same",
     .doc = "Prints who made it.",
     .store = [](AppSpec& s,
                 Value&& v) { repository(s).revision.author = take<Script>(std::move(v)); }},
    {.path = "repository.revision.date",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .default_text = "the same",
     .doc = "Prints when it was made, in seconds since 1970.",
     .store = [](AppSpec& s,
                 Value&& v) { repository(s).revision.date = take<Script>(std::move(v)); }},
    {.path = "repository.revision.description",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .default_text = "the same",
     .doc = "Prints what was said of it.",
     .store = [](AppSpec& s,
                 Value&& v) { repository(s).revision.description = take<Script>(std::move(v)); }},
    {.path = "repository.revision.changelog",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .default_text = "the same",
     .doc = "Prints what happened between the revisions `%old%` and `%new%`.",
     .store = [](AppSpec& s,
                 Value&& v) { repository(s).revision.changelog = take<Script>(std::move(v)); }},

    {.path = "interpreter",
     .doc =
         "What runs the app. Absent: it is found from the app's files, and the build says which."},
    {.path = "interpreter.type",
     .type = T::interpreter,
     .doc = "`python` (WSGI), `ruby` (Rack), `php`, `perl` (PSGI), `node`, `static` (files, no "
            "program), `web` (nothing but `processes.web`), or one of the server's own "
            "`interpreters`. Required in an `interpreter`.",
     .store = [](AppSpec& s,
                 Value&& v) { s.interpreter.type = take<InterpreterName>(std::move(v)); }},
    {.path = "interpreter.versions",
     .type = T::versions,
     .least = 1,
     .most = 16,
     .default_text = "the newest there is",
     .doc =
         "Versions that the app runs with; `3` matches `3.11`. The highest that the server has is "
         "taken. Quote them: `\"3.10\"`.",
     .store =
         [](AppSpec& s, Value&& v) {
           s.interpreter.versions = take<std::vector<std::string>>(std::move(v));
         }},
    {.path = "interpreter.settings",
     .type = T::settings,
     .most = 32,
     .doc =
         "Settings of that interpreter. python: `module`, with the WSGI callable, like "
         "`mysite.wsgi`, `mysite.wsgi:application` or `shop:create_app()` (default `app`). ruby: "
         "`rackup` (default `config.ru`). php and static: `root`, the directory that is served "
         "(default: the whole tree); php: `fallback`, the script in it that answers for what is no "
         "file. perl: `app` (default `app.psgi`).",
     .store = [](AppSpec& s, Value&& v) { s.interpreter.settings = take<Settings>(std::move(v)); }},

    {.path = "processes", .doc = "Programs of the app."},
    {.path = "processes.web",
     .type = T::command,
     .least = 1,
     .most = kScriptBytes,
     .doc = "A shell command that starts an HTTP server on `$PORT`. What the interpreter needs is "
            "installed all the same. Absent: `web` of a `Procfile`, or what `package.json` starts, "
            "unless `interpreter.settings` or `static` say what is served.",
     .store = [](AppSpec& s, Value&& v) { s.web = take<std::string>(std::move(v)); }},
    {.path = "processes.*", .doc = "Further processes.", .built = false},

    {.path = "env",
     .type = T::env_map,
     .most = kEnvBytes,
     .doc = "Environment of the app, at build time and at run time. The bytes arrive exactly as "
            "written. `PORT` and `HOME` are set by upaas, so they are refused here.",
     .store = [](AppSpec& s,
                 Value&& v) { s.env = take<std::map<EnvName, std::string>>(std::move(v)); }},
    {.path = "files",
     .type = T::file_map,
     .doc = "Files that are written into the app's tree before the actions run: path and content.",
     .store = [](AppSpec& s,
                 Value&& v) { s.files = take<std::map<TreePath, std::string>>(std::move(v)); }},

    {.path = "actions", .doc = "What the builder runs."},
    {.path = "actions.setup",
     .doc = "Commands that prepare the tree, in a sandbox and with a time limit."},
    {.path = "actions.setup.before",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .doc = "Runs before `main`.",
     .store = [](AppSpec& s, Value&& v) { s.setup.before = take<Script>(std::move(v)); }},
    {.path = "actions.setup.main",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .default_text = "what the interpreter needs",
     .doc =
         "Runs instead of the interpreter's own step (python: pip, node: npm, ruby: bundler, ...).",
     .store = [](AppSpec& s, Value&& v) { s.setup.main = take<Script>(std::move(v)); }},
    {.path = "actions.setup.after",
     .type = T::script,
     .least = 1,
     .most = kScriptBytes,
     .doc = "Runs after `main`.",
     .store = [](AppSpec& s, Value&& v) { s.setup.after = take<Script>(std::move(v)); }},
    {.path = "actions.release", .doc = "Commands that run once a release.", .built = false},

    {.path = "uwsgi", .doc = "What uWSGI is told."},
    {.path = "uwsgi.settings",
     .type = T::uwsgi_settings,
     .least = 0,
     .most = 256,
     .doc =
         "Options as `option = value`, of those that the server calls safe: unless its "
         "configuration says otherwise `harakiri*`, `static-*`, `check-static*`, `route*`, "
         "`response-route`, `final-route`, `error-route`, `enable-threads`, `lazy*`, "
         "`max-requests`, `min-worker-lifetime`, `max-worker-lifetime`, `reload-mercy`, "
         "`worker-reload-mercy` and `upload-progress`. A value must not hold `@(`, `$(`, `%(` or "
         "control characters.",
     .store = [](AppSpec& s,
                 Value&& v) { s.uwsgi_settings = take<std::vector<UwsgiSetting>>(std::move(v)); }},

    {.path = "domains",
     .type = T::domains,
     .least = 0,
     .most = 100,
     .doc = "Host names that the app answers for, besides its own `NAME.<domain>`.",
     .store = [](AppSpec& s, Value&& v) { s.domains = take<std::vector<Domain>>(std::move(v)); }},

    {.path = "scale", .doc = "How much of it runs."},
    {.path = "scale.instances",
     .type = T::count_range,
     .least = 1,
     .most = 1000,
     .default_text = "`1`",
     .doc = "Copies of the app.",
     .store = [](AppSpec& s, Value&& v) { s.scale.instances = take<Range<int>>(std::move(v)); }},
    {.path = "scale.workers",
     .type = T::count_range,
     .least = 1,
     .most = 512,
     .default_text = "`1`",
     .doc = "Worker processes of each instance.",
     .store = [](AppSpec& s, Value&& v) { s.scale.workers = take<Range<int>>(std::move(v)); }},
    {.path = "scale.memory",
     .type = T::memory_range,
     .least = 16,
     .most = std::int64_t{1} << 20,
     .default_text = "`128M`",
     .doc = "Memory of each worker. An instance may use as much for all its workers together and "
            "32M more for uWSGI's master, what it keeps in a tmpfs included; a process that takes "
            "more is ended, and `upaas events` says so.",
     .store = [](AppSpec& s, Value&& v) { s.scale.memory = take<Range<Megabytes>>(std::move(v)); }},
    {.path = "scale.idle", .doc = "Time without a request until the app sleeps.", .built = false},
    {.path = "scale.place", .doc = "Where instances may go.", .built = false},

    {.path = "health", .doc = "When an instance counts as healthy."},
    {.path = "health.path",
     .type = T::url_path,
     .least = 1,
     .most = 2048,
     .default_text = "`/`",
     .doc = "Is asked for before an instance gets visitors. Given: 200 to 399 is healthy. Not "
            "given: any "
            "answer of `/` below 500 is.",
     .store = [](AppSpec& s, Value&& v) { s.health.path = take<std::string>(std::move(v)); }},
    {.path = "health.timeout",
     .type = T::duration,
     .least = kSecond,
     .most = kHour,
     .default_text = "`60s`",
     .doc = "How long an instance may take to become healthy.",
     .store = [](AppSpec& s,
                 Value&& v) { s.health.timeout = take<std::chrono::milliseconds>(std::move(v)); }},

    {.path = "drain", .doc = "How an instance ends."},
    {.path = "drain.timeout",
     .type = T::duration,
     .least = kSecond,
     .most = kHour,
     .default_text = "`30s`",
     .doc =
         "How long requests in flight may take once an instance is withdrawn; then they are cut.",
     .store = [](AppSpec& s,
                 Value&& v) { s.drain_timeout = take<std::chrono::milliseconds>(std::move(v)); }},

    {.path = "os", .doc = "Packages of the operating system.", .built = false},
    {.path = "features", .doc = "Storage, cron, databases.", .built = false},
    {.path = "limits", .doc = "Limits of the app.", .built = false},
    {.path = "strategy", .doc = "How a release replaces another.", .built = false},
};

}  // namespace

std::string_view Key::parent() const {
  const std::size_t dot = path.rfind('.');
  return dot == path.npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view Key::last() const {
  const std::size_t dot = path.rfind('.');
  return dot == path.npos ? path : path.substr(dot + 1);
}

std::span<const Key> app_yaml_keys() {
  return kKeys;
}

const Key* find_key(std::string_view path) {
  const Key* any = nullptr;
  for (const Key& key : kKeys) {
    if (key.path == path && key.last() != "*") return &key;
    if (key.last() == "*" && path.starts_with(key.parent()) && path.size() > key.parent().size() &&
        path[key.parent().size()] == '.') {
      any = &key;
    }
  }
  return any;
}

}  // namespace upaas::model
