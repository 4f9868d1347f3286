/// What a daemon tells its operator: one line an event on stderr, `time level message key=value`.
/// Values with blanks or quotes are quoted; control characters are escaped. Secrets never get here:
/// callers log names of variables, not values. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace upaas {

enum class LogLevel { debug, info, warning, error };
using LogField = std::pair<std::string_view, std::string>;

/// Below this level nothing is written. Default: info.
void set_log_level(LogLevel level);
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
inline void log_debug(std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::debug, m, f); }
inline void log_info(std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::info, m, f); }
inline void log_warning(std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::warning, m, f); }
inline void log_error(std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::error, m, f); }

}  // namespace upaas
