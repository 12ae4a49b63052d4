// What a new workflow may begin with.
import type { WorkflowTask } from "../../api/types";

type Node = Partial<WorkflowTask> & { name: string; taskReferenceName: string; type: string };
const simple = (name: string, inputParameters: Record<string, unknown> = {}): Node => ({
  name,
  taskReferenceName: name,
  type: "SIMPLE",
  inputParameters,
});

function workflow(name: string, description: string, tasks: Node[], more: object = {}) {
  return {
    name,
    description,
    version: 1,
    ownerEmail: "",
    inputParameters: ["id"],
    tasks,
    outputParameters: {},
    ...more,
  };
}

export interface Template {
  key: string;
  title: string;
  about: string;
  definition: object;
}
export const TEMPLATES: Template[] = [
  {
    key: "steps",
    title: "Steps",
    about: "Two tasks one after another, done by workers.",
    definition: workflow(
      "my_workflow",
      "Two steps",
      [
        simple("first_step", { id: "${workflow.input.id}" }),
        simple("second_step", { found: "${first_step.output.found}" }),
      ],
      { outputParameters: { result: "${second_step.output.result}" } },
    ),
  },
  {
    key: "http",
    title: "HTTP and a choice",
    about: "A request, and what follows depends on its answer. Needs no worker.",
    definition: workflow("check_and_choose", "A request, then one of two ways", [
      {
        name: "ask",
        taskReferenceName: "ask",
        type: "HTTP",
        inputParameters: { http_request: { uri: "https://example.com/things/${workflow.input.id}", method: "GET" } },
      },
      {
        name: "choose",
        taskReferenceName: "choose",
        type: "SWITCH",
        evaluatorType: "value-param",
        expression: "status",
        inputParameters: { status: "${ask.output.response.statusCode}" },
        decisionCases: { "200": [simple("use_it", { thing: "${ask.output.response.body}" })] },
        defaultCase: [
          {
            name: "give_up",
            taskReferenceName: "give_up",
            type: "TERMINATE",
            inputParameters: {
              terminationStatus: "FAILED",
              terminationReason: "It answered ${ask.output.response.statusCode}",
            },
          },
        ],
      },
    ]),
  },
  {
    key: "fork",
    title: "Side by side",
    about: "Branches that run at the same time, and a join that waits for all of them.",
    definition: workflow("side_by_side", "Two branches, joined", [
      {
        name: "fork",
        taskReferenceName: "fork",
        type: "FORK_JOIN",
        forkTasks: [[simple("left_step")], [simple("right_step")]] as WorkflowTask[][],
      },
      { name: "join", taskReferenceName: "join", type: "JOIN", joinOn: ["left_step", "right_step"] },
    ]),
  },
  {
    key: "loop",
    title: "Until it is done",
    about: "A task is repeated until its output says so, at most ten times.",
    definition: workflow("until_done", "Asks again until it is done", [
      {
        name: "again",
        taskReferenceName: "again",
        type: "DO_WHILE",
        loopCondition: "if ($.probe.done == true || $.again.iteration >= 10) { false; } else { true; }",
        loopOver: [simple("probe", { id: "${workflow.input.id}" }) as WorkflowTask],
      },
    ]),
  },
  {
    key: "approval",
    title: "A person decides",
    about: "Waits for somebody to answer before it goes on.",
    definition: workflow("with_approval", "Goes on when a person has agreed", [
      simple("prepare", { id: "${workflow.input.id}" }),
      { name: "approval", taskReferenceName: "approval", type: "HUMAN", inputParameters: { question: "Go on?" } },
      simple("carry_out", { approved: "${approval.output.approved}" }),
    ]),
  },
];
