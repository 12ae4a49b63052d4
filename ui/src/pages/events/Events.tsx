// Events: who listens to which, what became of messages, what was set aside, and what waits for a broker.
import { useQuery } from "@tanstack/react-query";
import { deadMessages, outgoingMessages } from "../../api/queries";
import { Tabs } from "../../design/Tabs";
import { count } from "../../lib/format";
import { useParams } from "../../lib/url";
import { DeadMessages } from "./DeadMessages";
import css from "./Events.module.css";
import { Handlers } from "./Handlers";
import { Messages } from "./Messages";
import { Outgoing } from "./Outgoing";

const VIEWS = { handlers: Handlers, messages: Messages, dead: DeadMessages, outgoing: Outgoing };

export default function Events() {
  const [params, change] = useParams();
  const dead = useQuery(deadMessages()).data?.totalHits ?? 0;
  const waiting = useQuery(outgoingMessages()).data?.totalHits ?? 0;
  const asked = params.get("view") ?? "";
  const view = (Object.hasOwn(VIEWS, asked) ? asked : "handlers") as keyof typeof VIEWS;
  const View = VIEWS[view];
  return (
    <div className="page full">
      <h1 className="visually-hidden">Events</h1>
      <Tabs
        label="Events"
        tabs={[
          { key: "handlers", label: "Handlers" },
          { key: "messages", label: "Messages" },
          { key: "dead", label: dead ? <span className={css.bad}>Set aside ({count(dead)})</span> : "Set aside" },
          { key: "outgoing", label: waiting ? `Outgoing (${count(waiting)})` : "Outgoing" },
        ]}
        value={view}
        onChange={key =>
          change(
            { view: key === "handlers" ? "" : key, id: "", name: "", handler: "", event: "", status: "", message: "" },
            { push: true },
          )
        }
      >
        <div className="stretch under-tabs">
          <View />
        </div>
      </Tabs>
    </div>
  );
}
