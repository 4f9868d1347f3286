/// Named places where a test can make the program die or fail. Compiled in with UPAAS_FAULT_POINTS
/// (preset dev and its children); nothing in a release build.
///
/// The environment variable UPAAS_FAULT chooses: `NAME=kill` (SIGKILL to itself), `NAME=error`
/// (throws Error(internal)), `NAME=pause:FILE` (waits until FILE exists, at most 60 s). Several are
/// separated by commas. `NAME#3=kill` acts on the third passage only.
#pragma once

#include <string_view>

namespace upaas {

#ifdef UPAAS_FAULT_POINTS
void fault_point(std::string_view name);
#else
inline void fault_point(std::string_view /*name*/) {}
#endif

}  // namespace upaas
