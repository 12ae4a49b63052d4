import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { readAgain } from "./refresh";

test("an answer that was under way when something moved is not taken for the news", async () => {
  const answers: Array<(value: string) => void> = [];
  const client = new QueryClient();
  const observer = new QueryObserver(client, {
    queryKey: ["it"],
    queryFn: () => new Promise<string>(answer => answers.push(answer)),
  });
  const stop = observer.subscribe(() => undefined);
  const asked = readAgain(client, { queryKey: ["it"] });
  answers[0]!("before");
  await expect.poll(() => answers.length).toBe(2);
  answers[1]!("after");
  await asked;
  expect([client.getQueryData(["it"]), answers.length]).toEqual(["after", 2]);
  stop();
});
