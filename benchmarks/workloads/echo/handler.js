// Answers with its event, read as JSON and written anew: emberd calls it as a component, workerd
// from worker.js.

export function handle(event, context) {
  return JSON.stringify(JSON.parse(event));
}
