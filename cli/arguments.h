/// The words after the verb, as named values. Wraps CLI11, which costs seconds in every file that
/// includes it, so only arguments.cpp does.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::cli {

/// One option: `{"-f,--follow", "", "..."}` is a flag, `{"-n,--lines", "N", "..."}` takes a value.
/// The long name without dashes ("follow") is how a command asks for it.
struct Option {
  std::string_view names;
  std::string_view value;
  std::string_view help;

  [[nodiscard]] std::string_view long_name() const;   // "follow"
  [[nodiscard]] std::string_view short_name() const;  // "f"; empty when it has none
};

/// A word without a dash; optional unless the command itself insists.
struct Positional {
  std::string_view name;  // "APP"; "FILE...": the last one, as often as one likes
  std::string_view help;
};

/// Understood by every command: -a --json --output -q -h --version. A command's own short flag of
/// the same letter wins.
[[nodiscard]] std::span<const Option> global_options();

class Arguments {
 public:
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  /// Of a positional that ends in "...", named without that.
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  /// Error(invalid) when it is not a number in that range.
  [[nodiscard]] long long number(std::string_view name, long long otherwise, long long least,
                                 long long most) const;
  void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }
  void set(std::string name, std::vector<std::string> all) {
    lists_[std::move(name)] = std::move(all);
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
  std::map<std::string, std::string, std::less<>> values_;
};

/// Options and positionals in any order; `--` ends the options. The last one wins when repeated.
/// Error(invalid) with the nearest option when one is unknown.
[[nodiscard]] Arguments parse_arguments(std::span<const Option> options,
                                        std::span<const Positional> positionals,
                                        const std::vector<std::string>& words);

/// The verb among all words and the words without it: the first one that is neither an option nor
/// the value of a global one. An empty verb when there is none.
struct Split {
  std::string verb;
  std::vector<std::string> words;
};
[[nodiscard]] Split split_verb(const std::vector<std::string>& words);

}  // namespace upaas::cli
