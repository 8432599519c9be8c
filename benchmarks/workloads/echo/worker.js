// The handler as a worker of workerd.

import { handle } from "handler.js";

export default {
  async fetch(request) {
    const answer = handle(await request.text(), {});
    return new Response(answer, { headers: { "Content-Type": "application/json" } });
  },
};
