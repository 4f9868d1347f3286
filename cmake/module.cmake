# upaas_module(NAME SOURCES file... [USES module...] [LIBRARIES target...])
# A module is a folder, a static library `upaas_NAME` and a namespace. USES are the arrows that other
# modules see; LIBRARIES are third-party and stay inside (no third-party header in a public header).
function(upaas_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  string(REPLACE "-" "_" target upaas_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_link_libraries(${target} PUBLIC upaas_options PRIVATE nlohmann_json::nlohmann_json fmt::fmt)
  foreach(used IN LISTS arg_USES)
    string(REPLACE "-" "_" used upaas_${used})
    target_link_libraries(${target} PUBLIC ${used})
  endforeach()
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  upaas_precompile(${target})
endfunction()

# nlohmann/json costs 2.7 s in every file that includes it; compiled once, 0.2 s.
function(upaas_precompile target)
  if(TARGET upaas_pch)
    target_precompile_headers(${target} REUSE_FROM upaas_pch)
    # The header is compiled as the libraries are; an executable's own -fPIE would not fit it.
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
  endif()
endfunction()

file(WRITE ${CMAKE_BINARY_DIR}/generated/pch.cpp "")
if(NOT UPAAS_FUZZ AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
  add_library(upaas_pch STATIC ${CMAKE_BINARY_DIR}/generated/pch.cpp)
  target_link_libraries(upaas_pch PUBLIC upaas_options PRIVATE nlohmann_json::nlohmann_json fmt::fmt)
  target_precompile_headers(upaas_pch PRIVATE <chrono> <filesystem> <functional> <map> <optional> <string>
                            <vector> <nlohmann/json.hpp> <fmt/core.h>)
endif()
