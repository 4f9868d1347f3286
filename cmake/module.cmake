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
endfunction()
