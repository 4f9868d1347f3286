# One place for the language level, the warnings and the sanitizers.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# -O3 makes g++ 12 report -Wrestrict where there is nothing (GCC bug 105329).
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

# Where the tree lies does not matter to the cache: a clean clone is built from what an earlier one left.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
endif()

add_library(upaas_options INTERFACE)
target_include_directories(upaas_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(upaas_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Wold-style-cast -Woverloaded-virtual -Wconversion -Wno-sign-conversion
                       # options are structs filled by name; what is not named has its default
                       -Wno-missing-field-initializers)
target_compile_definitions(upaas_options INTERFACE _FILE_OFFSET_BITS=64)
if(UPAAS_DEV)
  target_compile_options(upaas_options INTERFACE -Werror)
  target_compile_definitions(upaas_options INTERFACE UPAAS_FAULT_POINTS)
endif()

set(UPAAS_SANITIZE "" CACHE STRING "address,undefined | thread | empty")
if(UPAAS_SANITIZE)
  add_compile_options(-fsanitize=${UPAAS_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${UPAAS_SANITIZE})
endif()
option(UPAAS_COVERAGE "Build for gcovr" OFF)
if(UPAAS_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
