/// Reads an ini as uWSGI 2.0 does (core/ini.c, magic_sub of core/utils.c), so that a test sees the
/// options that uWSGI will see.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace upaas::test {

using UwsgiOptions = std::vector<std::pair<std::string, std::string>>;

/// `%` and the byte after it are replaced wherever they stand: by a `%`, by `%(`, or by what uWSGI
/// knows of the file, which is nothing here.
inline std::string without_magic(std::string_view ini) {
  std::string text;
  for (std::size_t i = 0; i < ini.size(); ++i) {
    if (ini[i] != '%' || i + 1 == ini.size()) {
      text += ini[i];
      continue;
    }
    ++i;
    if (ini[i] == '%') text += '%';
    if (ini[i] == '(') text += "%(";
  }
  return text;
}

inline std::string_view stripped(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Of the section [uwsgi], in order. A NUL ends a line, as it does for C.
inline UwsgiOptions read_uwsgi_ini(std::string_view ini) {
  UwsgiOptions options;
  const std::string text = without_magic(ini);
  std::string_view section;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    line = stripped(line.substr(0, line.find('\0')));
    if (line.empty() || line[0] == ';' || line[0] == '#') continue;
    if (line[0] == '[') {
      section = line.substr(1, line.size() - 2);
    } else if (section == "uwsgi") {
      const std::size_t equals = std::min(line.find('='), line.size());
      const std::string_view value = equals == line.size() ? "" : line.substr(equals + 1);
      options.emplace_back(stripped(line.substr(0, equals)), stripped(value));
    }
  }
  return options;
}

}  // namespace upaas::test
