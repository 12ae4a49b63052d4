// Tasks & queues: what waits for whom, and all tasks by the API's own language. The URL says which of both, and which queue is looked at.
import { useLocation, useRoute } from "wouter";
import { Tabs } from "../../design/Tabs";
import { to } from "../../lib/url";
import { QueueList } from "./QueueList";
import { TaskSearch } from "./TaskSearch";

export default function Queues() {
  const [isTasks] = useRoute("/queues/tasks");
  const [, navigate] = useLocation();
  return (
    <div className="page full">
      <h1 className="visually-hidden">Tasks & queues</h1>
      <Tabs
        label="Tasks and queues"
        tabs={[
          { key: "queues", label: "Queues" },
          { key: "tasks", label: "Find tasks" },
        ]}
        value={isTasks ? "tasks" : "queues"}
        onChange={key => navigate(key === "tasks" ? to.taskSearch() : to.queues())}
      >
        <div className="stretch under-tabs">{isTasks ? <TaskSearch /> : <QueueList />}</div>
      </Tabs>
    </div>
  );
}
