// A function as a WASI preview 1 command: the event comes on stdin, the answer goes to stdout,
// what is written to stderr is logged, and an exit status other than 0 is an error.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_BYTES_MAX (1 << 20)

static char event[EVENT_BYTES_MAX + 1];

// The text behind "name": in the event. Enough for flat events; larger ones want a JSON library.
static const char *field(const char *name) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\"", name);
  const char *found = strstr(event, quoted);
  const char *colon = found ? strchr(found + strlen(quoted), ':') : NULL;
  return colon ? colon + 1 + strspn(colon + 1, " ") : NULL;
}

int main(void) {
  char item[256];
  size_t size = fread(event, 1, EVENT_BYTES_MAX, stdin);
  event[size] = '\0';
  const char *wanted = field("item"), *count = field("count");
  if (!wanted || !count || sscanf(wanted, "\"%255[^\"]\"", item) != 1) {
    fprintf(stderr, "no order: %s\n", event);
    return 1;
  }
  fprintf(stderr, "event %s\n", getenv("EMBERD_REQUEST_ID"));
  printf("{\"item\": \"%s\", \"cents\": %d, \"orders\": 1}", item, atoi(count) * 250);
  return 0;
}
