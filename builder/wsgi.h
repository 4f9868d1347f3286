/// Where a Python app's WSGI callable is: found by reading, and checked before it is packed.
#pragma once

#include "builder/commands.h"
#include "builder/tree_files.h"
#include "model/names.h"

#include <filesystem>
#include <optional>
#include <string>

namespace upaas::builder {

struct WsgiEntry {
  std::string module;  // "mysite.wsgi", "app:app", "shop:create_app()"
  std::string file;    // where it was seen
};

/// Django's (manage.py names the settings, the wsgi.py beside them), else a module at the top that
/// defines or imports `application`, `app` or a factory `create_app`. Nothing when there is none.
[[nodiscard]] std::optional<WsgiEntry> find_wsgi(const TreeFiles& files);

/// Error(invalid), which names the modules that the tree has, when `module` is neither in the tree
/// nor found by `python`, a path inside.
void check_module(const Commands& commands, const TreeFiles& files,
                  const model::PythonModule& module, const std::string& python,
                  const Environment& env);

}  // namespace upaas::builder
