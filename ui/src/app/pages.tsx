// Every page: its path, its place in the rail, and the module that has it. A page is loaded when somebody goes there.
import type { IconName } from "../design/Icon";
import { lazy, type Lazy } from "./lazy";

interface Page {
  /** wouter patterns; the first is where the rail leads. */
  paths: string[];
  title: string;
  icon?: IconName;
  /** `g` and this letter go there. */
  letter?: string;
  /** What the rail shows as chosen; pages without an icon name the one they belong to. */
  under?: string;
  component: Lazy<object>;
}

export const PAGES: Page[] = [
  { paths: ["/"], title: "Home", icon: "home", letter: "h", component: lazy(() => import("../pages/home/Home")) },
  {
    paths: ["/executions"],
    title: "Executions",
    icon: "list",
    letter: "e",
    component: lazy(() => import("../pages/executions/Executions")),
  },
  {
    paths: ["/execution/:id", "/execution/:id/:taskId"],
    title: "Execution",
    under: "/executions",
    component: lazy(() => import("../pages/execution/Execution")),
  },
  {
    paths: ["/compare"],
    title: "Compare",
    under: "/executions",
    component: lazy(() => import("../pages/compare/Compare")),
  },
  {
    paths: ["/definitions"],
    title: "Definitions",
    icon: "layers",
    letter: "d",
    component: lazy(() => import("../pages/definitions/Definitions")),
  },
  {
    paths: ["/definitions/:name", "/definitions/:name/:version", "/new/workflow"],
    title: "Definition",
    under: "/definitions",
    component: lazy(() => import("../pages/definitions/Definition")),
  },
  {
    paths: ["/tasks"],
    title: "Task definitions",
    under: "/definitions",
    component: lazy(() => import("../pages/definitions/TaskDefinitions")),
  },
  {
    paths: ["/tasks/:name", "/new/task"],
    title: "Task definition",
    under: "/definitions",
    component: lazy(() => import("../pages/definitions/TaskDefinition")),
  },
  {
    paths: ["/start/:name"],
    title: "Start",
    under: "/definitions",
    component: lazy(() => import("../pages/definitions/Start")),
  },
  {
    paths: ["/queues", "/queues/tasks"],
    title: "Tasks & queues",
    icon: "queue",
    letter: "q",
    component: lazy(() => import("../pages/queues/Queues")),
  },
  {
    paths: ["/workers"],
    title: "Workers",
    icon: "chip",
    letter: "w",
    component: lazy(() => import("../pages/workers/Workers")),
  },
  {
    paths: ["/schedules"],
    title: "Schedules",
    icon: "calendar",
    letter: "c",
    component: lazy(() => import("../pages/schedules/Schedules")),
  },
  {
    paths: ["/events"],
    title: "Events",
    icon: "bolt",
    letter: "v",
    component: lazy(() => import("../pages/events/Events")),
  },
  {
    paths: ["/failures"],
    title: "Failures",
    icon: "alert",
    letter: "f",
    component: lazy(() => import("../pages/failures/Failures")),
  },
  {
    paths: ["/server"],
    title: "Health",
    icon: "pulse",
    letter: "s",
    component: lazy(() => import("../pages/health/Health")),
  },
];

/** The page at this address, by the first part of it. */
export function pageAt(address: string): Page | undefined {
  const first = (text: string) => text.split("/")[1] ?? "";
  return PAGES.find(page => page.paths.some(path => first(path) === first(address)));
}

export const RAIL = PAGES.filter(page => page.icon);
