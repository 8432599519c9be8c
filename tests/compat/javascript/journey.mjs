// Every step of a function's life through the AWS SDK for JavaScript v3; prints what it saw as JSON.
// Usage: node journey.mjs NAME RUNTIME ROLE PACKAGE.zip

import { readFile } from "node:fs/promises";
import { argv, env, stdout } from "node:process";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";

const [name, runtime, role, archive] = argv.slice(2);
const client = new LambdaClient({ maxAttempts: 1 });
const seen = {};
const text = (bytes) => new TextDecoder().decode(bytes);

async function failureOf(command) {
  try {
    await client.send(command);
    return { name: "none" };
  } catch (error) {
    return {
      name: error.name,
      message: error.message,
      status: error.$metadata?.httpStatusCode,
      reason: error.Reason,
    };
  }
}

const created = await client.send(
  new CreateFunctionCommand({
    FunctionName: name,
    Runtime: runtime,
    Role: role,
    Handler: "app.handler",
    Code: { ZipFile: await readFile(archive) },
    Timeout: 10,
  }),
);
seen.created = { state: created.State, arn: created.FunctionArn };
await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName: name });

const invoked = await client.send(
  new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ chunks: 0, say: "hello" }) }),
);
seen.invoked = { status: invoked.StatusCode, payload: text(invoked.Payload) };

const failed = await client.send(
  new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ fail: true }) }),
);
seen.failed = { error: failed.FunctionError, type: JSON.parse(text(failed.Payload)).errorType };

const streamed = await client.send(
  new InvokeWithResponseStreamCommand({
    FunctionName: name,
    Payload: JSON.stringify({ chunks: 4, say: "part" }),
  }),
);
seen.streamed = { chunks: [], complete: false };
for await (const event of streamed.EventStream) {
  if (event.PayloadChunk) seen.streamed.chunks.push(text(event.PayloadChunk.Payload));
  if (event.InvokeComplete) seen.streamed.complete = true;
}

const version = await client.send(new PublishVersionCommand({ FunctionName: name }));
const versions = await client.send(new ListVersionsByFunctionCommand({ FunctionName: name }));
seen.versions = [version.Version, ...versions.Versions.map((each) => each.Version)];

await client.send(new DeleteFunctionCommand({ FunctionName: name }));
seen.gone = await failureOf(new GetFunctionCommand({ FunctionName: name }));
seen.invalid = await failureOf(new GetFunctionCommand({ FunctionName: "no such name" }));

const stranger = new LambdaClient({
  maxAttempts: 1,
  credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: "not the secret" },
});
try {
  await stranger.send(new GetFunctionCommand({ FunctionName: name }));
} catch (error) {
  seen.stranger = { name: error.name, status: error.$metadata?.httpStatusCode };
}

stdout.write(JSON.stringify(seen));
