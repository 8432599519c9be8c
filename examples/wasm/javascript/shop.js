// A function as a component of emberd's world: the event and the answer are strings, and an object
// that is thrown with these two fields is an error that callers read. QuickJS has no console.

export function handle(event, context) {
  const { item, count } = JSON.parse(event);
  if (!Number.isInteger(count)) {
    throw { errorType: "Shop.NoOrder", errorMessage: `no count for ${context.requestId}` };
  }
  return JSON.stringify({ item, cents: count * 250, orders: 1 });
}
