#include "cli/arguments.h"

#include "base/error.h"
#include "model/nearest.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <list>

namespace upaas::cli {
namespace {

constexpr std::string_view kMore = "...";

constexpr std::array kGlobal = {
    Option{"-a,--app", "APP", "the app (default: UPAAS_APP, then the nearest app.yaml)"},
    Option{"--json", "", "one JSON object on stdout, also for errors"},
    Option{"--output", "FORMAT", "text, json, or jsonl: one JSON object a line as things happen"},
    Option{"-q,--quiet", "", "no progress on stderr"},
    Option{"-h,--help", "", "this help"},
    Option{"--version", "", "the version"},
};

/// A command's options, then the global ones without the names that the command has taken.
std::vector<std::pair<Option, std::string>> all_options(std::span<const Option> own) {
  std::vector<std::pair<Option, std::string>> all;
  for (const Option& option : own) all.emplace_back(option, std::string(option.names));
  for (const Option& option : kGlobal) {
    const bool taken = std::ranges::any_of(own, [&](const Option& other) {
      return !option.short_name().empty() && other.short_name() == option.short_name();
    });
    all.emplace_back(option,
                     taken ? fmt::format("--{}", option.long_name()) : std::string(option.names));
  }
  return all;
}

/// `--json=1`: taken as set, it would be taken for what it says.
void refuse_values_of_flags(const std::vector<std::string>& words,
                            const std::vector<std::pair<Option, std::string>>& options) {
  for (const std::string& word : words) {
    if (word == "--") return;
    const std::size_t end = word.find('=');
    if (!word.starts_with("--") || end == std::string::npos) continue;
    const std::string name = word.substr(2, end - 2);
    for (const auto& [option, names] : options) {
      if (option.long_name() == name && option.value.empty())
        throw Error(ErrorKind::invalid, fmt::format("--{} takes no value", name),
                    fmt::format("--{} is on when it is there, and off when it is not", name));
    }
  }
}

/// In the words of the help, not of the library.
Error unfit(const std::string& library,
            const std::vector<std::pair<Option, std::string>>& options) {
  for (const auto& [option, names] : options) {
    const std::string name = fmt::format("--{}", option.long_name());
    if (!option.value.empty() && library.starts_with(name + ":"))
      return {ErrorKind::invalid, fmt::format("{} needs a value: {} {}", name, name, option.value)};
  }
  return {ErrorKind::invalid, library};
}

Error unexpected(const std::string& word,
                 const std::vector<std::pair<Option, std::string>>& options) {
  if (!word.starts_with('-')) {
    return {ErrorKind::invalid, fmt::format("unexpected argument '{}'", word)};
  }
  std::vector<std::string_view> names;
  for (const auto& [option, text] : options) names.push_back(option.long_name());
  const std::string bare = word.substr(std::min(word.find_first_not_of('-'), word.size()));
  const auto near = bare.size() < 2 ? std::nullopt : model::nearest(bare, names);
  return {ErrorKind::invalid, fmt::format("unknown option '{}'", word),
          near ? fmt::format("did you mean --{}?", *near) : ""};
}

}  // namespace

std::string_view Option::long_name() const {
  const std::size_t dashes = names.find("--");
  return dashes == std::string_view::npos ? std::string_view{} : names.substr(dashes + 2);
}

std::string_view Option::short_name() const {
  return names.size() > 1 && names[1] != '-' ? names.substr(1, 1) : std::string_view{};
}

std::span<const Option> global_options() {
  return kGlobal;
}

bool Arguments::has(std::string_view name) const {
  return values_.contains(name);
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  const auto found = lists_.find(name);
  return found == lists_.end() ? std::vector<std::string>{} : found->second;
}

long long Arguments::number(std::string_view name, long long otherwise, long long least,
                            long long most) const {
  const auto text = value(name);
  if (!text) return otherwise;
  long long number = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc() || end != text->data() + text->size() || number < least ||
      number > most) {
    throw Error(ErrorKind::invalid, fmt::format("--{}: '{}' is not a number from {} to {}", name,
                                                text->substr(0, 40), least, most));
  }
  return number;
}

Arguments parse_arguments(std::span<const Option> options, std::span<const Positional> positionals,
                          const std::vector<std::string>& words) {
  CLI::App app;
  app.set_help_flag();
  app.set_config();
  const auto all = all_options(options);
  std::list<std::string> texts;  // CLI11 keeps references
  std::vector<std::pair<CLI::Option*, std::pair<std::string, std::string*>>> asked;
  for (const auto& [option, names] : all) {
    const bool flag = option.value.empty();
    std::string* text = flag ? nullptr : &texts.emplace_back();
    CLI::Option* made = flag ? app.add_flag(names) : app.add_option(names, *text)->take_last();
    asked.push_back({made, {std::string(option.long_name()), text}});
  }
  std::vector<std::string> rest;
  std::string rest_name;
  for (const Positional& positional : positionals) {
    if (positional.name.ends_with(kMore)) {
      rest_name = positional.name.substr(0, positional.name.size() - kMore.size());
      app.add_option(rest_name, rest);
      break;
    }
    std::string* text = &texts.emplace_back();
    const std::string name(positional.name);
    asked.push_back({app.add_option(name, *text), {name, text}});
  }
  refuse_values_of_flags(words, all);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ExtrasError&) {
    const auto left = app.remaining();
    throw unexpected(left.empty() ? std::string() : left.front(), all);
  } catch (const CLI::ParseError& error) {
    throw unfit(error.what(), all);
  }
  Arguments arguments;
  for (const auto& [option, target] : asked) {
    if (option->count() > 0) arguments.set(target.first, target.second ? *target.second : "");
  }
  if (!rest.empty()) arguments.set(rest_name, std::move(rest));
  return arguments;
}

Split split_verb(const std::vector<std::string>& words) {
  Split split;
  bool value = false;  // the word belongs to the option before it
  for (const std::string& word : words) {
    if (value || !split.verb.empty() || word.starts_with('-')) {
      value =
          split.verb.empty() && !value && (word == "-a" || word == "--app" || word == "--output");
      split.words.push_back(word);
    } else {
      split.verb = word;
    }
  }
  return split;
}

}  // namespace upaas::cli
