/// JSON as values of nlohmann/json, with the errors and the bounds of this project.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace upaas {

using Json = nlohmann::json;

/// Parses foreign text: Error(invalid) "WHAT: line 3, column 7: ..." when it is not JSON, is deeper than
/// 64 levels or longer than `limit` bytes, or holds more than four million values.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view what,
                              std::size_t limit = std::size_t{8} << 20);
/// One line; bytes that are not UTF-8 become U+FFFD instead of an exception.
[[nodiscard]] std::string dump_json(const Json& value);
/// Indented by two, with a newline at the end.
[[nodiscard]] std::string dump_json_pretty(const Json& value);

/// Field access for readers of stored or foreign objects: Error(invalid) that names the field when it is
/// missing or of another type.
[[nodiscard]] std::string get_string(const Json& object, const char* field);
[[nodiscard]] std::string get_string_or(const Json& object, const char* field, std::string_view otherwise);
[[nodiscard]] long long get_int(const Json& object, const char* field);
[[nodiscard]] long long get_int_or(const Json& object, const char* field, long long otherwise);
[[nodiscard]] bool get_bool_or(const Json& object, const char* field, bool otherwise);
[[nodiscard]] double get_double_or(const Json& object, const char* field, double otherwise);
/// The array or object under that name; an empty one when absent.
[[nodiscard]] const Json& get_array(const Json& object, const char* field);
[[nodiscard]] const Json& get_object(const Json& object, const char* field);

}  // namespace upaas
