#include "base/json.h"

#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace upaas {
namespace {

constexpr int kDeepest = 64;
// A value costs up to 64 bytes once parsed, however short it is written.
constexpr std::size_t kMostValues = 4'000'000;

Error error_at(std::string_view what, std::string_view text, std::size_t offset,
               std::string_view reason) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n');
  const std::size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return {ErrorKind::invalid,
          fmt::format("{}: line {}, column {}: {}", what, line, column, reason)};
}

// The parser keeps a stack on the heap, but what is made of it is walked by recursion.
void check_shape(std::string_view text, std::string_view what) {
  int depth = 0;
  std::size_t values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) {
        throw error_at(what, text, i, fmt::format("deeper than {} levels", kDeepest));
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
    values += !in_string && (c == ',' || c == '[' || c == '{');
    if (values > kMostValues) {
      throw error_at(what, text, i, fmt::format("more than {} values", kMostValues));
    }
  }
}

// "[json.exception...] parse error at line 1, column 2: REASON; last read: '...'": what was read
// last may be long, or secret.
std::string reason_of(const nlohmann::json::exception& error) {
  std::string text = error.what();
  if (const std::size_t end = text.find("; last read:"); end != std::string::npos) {
    text.resize(end);
  }
  if (const std::size_t colon = text.find(": "); colon != std::string::npos) {
    text.erase(0, colon + 2);
  }
  return text.substr(0, 200);
}

const Json* find(const Json& object, const char* field) {
  if (!object.is_object()) {
    throw Error(ErrorKind::invalid, fmt::format("field {}: its parent is not an object", field));
  }
  const auto found = object.find(field);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& need(const Json& object, const char* field) {
  if (const Json* value = find(object, field)) {
    return *value;
  }
  throw Error(ErrorKind::invalid, fmt::format("field {} is missing", field));
}

Error wrong_type(const char* field, std::string_view wanted, const Json& value) {
  return {ErrorKind::invalid,
          fmt::format("field {} must be {}, not {}", field, wanted, value.type_name())};
}

std::string as_string(const Json& value, const char* field) {
  if (!value.is_string()) {
    throw wrong_type(field, "a string", value);
  }
  return value.get<std::string>();
}

long long as_int(const Json& value, const char* field) {
  if (!value.is_number_integer()) {
    throw wrong_type(field, "a whole number", value);
  }
  constexpr unsigned long long kLargest = std::numeric_limits<long long>::max();
  if (value.is_number_unsigned() && value.get<unsigned long long>() > kLargest) {
    throw Error(ErrorKind::invalid, fmt::format("field {} is too large", field));
  }
  return value.get<long long>();
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what, std::size_t limit) {
  if (text.size() > limit) {
    throw Error(ErrorKind::invalid, fmt::format("{}: longer than {} bytes", what, limit));
  }
  check_shape(text, what);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw error_at(what, text, error.byte == 0 ? 0 : error.byte - 1, reason_of(error));
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::invalid, fmt::format("{}: {}", what, error.what()));
  }
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string dump_json_pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string get_string(const Json& object, const char* field) {
  return as_string(need(object, field), field);
}

std::string get_string_or(const Json& object, const char* field, std::string_view otherwise) {
  const Json* value = find(object, field);
  return value == nullptr ? std::string(otherwise) : as_string(*value, field);
}

long long get_int(const Json& object, const char* field) {
  return as_int(need(object, field), field);
}

long long get_int_or(const Json& object, const char* field, long long otherwise) {
  const Json* value = find(object, field);
  return value == nullptr ? otherwise : as_int(*value, field);
}

bool get_bool_or(const Json& object, const char* field, bool otherwise) {
  const Json* value = find(object, field);
  if (value != nullptr && !value->is_boolean()) {
    throw wrong_type(field, "true or false", *value);
  }
  return value == nullptr ? otherwise : value->get<bool>();
}

double get_double_or(const Json& object, const char* field, double otherwise) {
  const Json* value = find(object, field);
  if (value != nullptr && !value->is_number()) {
    throw wrong_type(field, "a number", *value);
  }
  return value == nullptr ? otherwise : value->get<double>();
}

const Json& get_array(const Json& object, const char* field) {
  static const Json empty = Json::array();
  const Json* value = find(object, field);
  if (value != nullptr && !value->is_array()) {
    throw wrong_type(field, "a list", *value);
  }
  return value == nullptr ? empty : *value;
}

const Json& get_object(const Json& object, const char* field) {
  static const Json empty = Json::object();
  const Json* value = find(object, field);
  if (value != nullptr && !value->is_object()) {
    throw wrong_type(field, "an object", *value);
  }
  return value == nullptr ? empty : *value;
}

}  // namespace upaas
