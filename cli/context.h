/// What a command works with. Handed in by main (or by a test), so nothing here reaches for
/// globals.
#pragma once

#include "base/json.h"
#include "base/process.h"
#include "cli/arguments.h"

#include <filesystem>
#include <iosfwd>

namespace upaas::cli {

/// `--output`. text is for people; json is one object on one line; jsonl is one object a line as
/// things happen (the lines of a stream, see wire/api.h).
enum class Format { text, json, jsonl };

/// What stderr can show.
struct Terminal {
  bool live = false;    // a line can be drawn again: a terminal that is not TERM=dumb
  bool colour = false;  // live, and NO_COLOR is not set
  int columns = 80;
};

struct Context {
  Arguments arguments = {};
  Format format = Format::text;
  bool quiet = false;
  /// The environment of the program: UPAAS_URL, UPAAS_TOKEN, UPAAS_APP, TMPDIR.
  Environment env = {};
  std::filesystem::path cwd = {};
  std::istream& in;
  std::ostream& out;  // data
  std::ostream& err;  // progress, errors
  /// Somebody sits there and can be asked: stdin and stderr are terminals.
  bool interactive = false;
  Terminal terminal = {};
};

/// The object on one line of stdout; for jsonl as the `result` line of a stream.
void print_json(Context& context, const Json& object);

/// The variable; nothing when it is unset or empty.
[[nodiscard]] std::optional<std::string> variable(const Environment& env, const std::string& name);
/// From isatty, TERM, NO_COLOR and the window's size.
[[nodiscard]] Terminal terminal_of(int fd, const Environment& env);

}  // namespace upaas::cli
