import { useSearchParams } from "wouter";
import { ErrorState } from "../design/EmptyState";
import { Sheet } from "./Sheet";

/** In the place of a page that could not be read: why, and the way to the flows that are there. */
export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const [, setAddress] = useSearchParams();
  return (
    <Sheet title="Flow Builder" width={1080} back={{ to: "All flows", onBack: () => setAddress({}) }}>
      <ErrorState command="batuta flows" error={error} onRetry={onRetry} />
    </Sheet>
  );
}
