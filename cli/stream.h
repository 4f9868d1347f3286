/// A stream of the server, shown as the format wants it.
#pragma once

#include "base/http_client.h"
#include "base/json.h"
#include "cli/context.h"
#include "cli/progress.h"
#include "cli/server.h"

#include <functional>

namespace upaas::cli {

/// Runs to the result and returns it. text and json: steps and lines go to `progress`; jsonl: every
/// line of the stream to stdout as it comes, the result too. The server's error is thrown (main
/// prints it, also as the stream's last line). Error(unreachable) when the stream ends without
/// either.
/// `also` sees every step, whatever the format.
Json follow_work(Context& context, Server& server, HttpRequest request, Progress& progress,
                 const std::function<void(const wire::Step&)>& also = {});

/// Reads a stream of lines or events to its end. False when Ctrl-C ended it, which is how `--follow`
/// ends.
bool read_stream(Server& server, const std::string& target, wire::StreamReader& reader);

/// follow_work for what goes on without us: Ctrl-C detaches. Error(interrupted) that says how to go
/// on watching.
Json follow_story(Context& context, const std::string& app, HttpRequest request);

/// start, stop, destroy: follow_story, then one line (or the result as JSON).
/// Exit code 0, or Error(interrupted) that says how to go on watching.
int run_action(Context& context, const char* method, const std::string& target,
               const std::string& app, const std::string& done);

}  // namespace upaas::cli
