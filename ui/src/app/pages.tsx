// Every page: its path, its place in the rail, and the module that has it. A page is loaded when somebody goes there.
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { IconName } from "../design/Icon";

export interface Page {
  /** wouter patterns; the first is where the rail leads. */
  paths: string[];
  title: string;
  icon?: IconName;
  /** `g` and this letter go there. */
  letter?: string;
  /** What the rail shows as chosen; pages without an icon name the one they belong to. */
  under?: string;
  component: LazyExoticComponent<ComponentType>;
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
];

export const RAIL = PAGES.filter(page => page.icon);
