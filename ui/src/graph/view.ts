// What of a graph is in sight: its nodes as places, and the moves that bring them there.
import { useReactFlow } from "@xyflow/react";
import { useCallback, useEffect, useRef, type RefObject } from "react";
import type { Graph } from "./build";
import type { Box, Layout } from "./layout";

const READABLE = 0.6; // below this zoom a whole graph is not shown at first, but its selected part
export const ZOOM_MIN = 0.02;
const EDGE = 8; // pixels between what is in sight and the border
const MARGIN = 16; // around a graph that is shown as a whole
const TITLE = 60; // of a box its title is brought into sight

type Places = ReadonlyMap<string, Box>;

/** Where nodes stand, all from the corner of the picture. */
export function placesIn(graph: Graph, layout: Layout): Map<string, Box> {
  const places = new Map<string, Box>();
  for (const node of graph.nodes) {
    const box = layout.boxes.get(node.id);
    if (!box) continue; // it came after this layout
    const around = places.get(node.parent);
    places.set(node.id, { ...box, x: box.x + (around?.x ?? 0), y: box.y + (around?.y ?? 0) });
  }
  return places;
}

function extent(places: ReadonlyMap<string, Box>): { width: number; height: number } {
  let [width, height] = [1, 1];
  for (const one of places.values()) {
    width = Math.max(width, one.x + one.width);
    height = Math.max(height, one.y + one.height);
  }
  return { width, height };
}

/** *selected* is what the first look is at; what is at *cursor* stays where it was on the screen when the layout changes. */
export function useView(area: RefObject<HTMLElement | null>, places: Places, selected: string, cursor: string) {
  const flow = useReactFlow();

  /** Bring a node into view if it is not. */
  const show = useCallback(
    (id: string, always = false) => {
      const place = places.get(id);
      const box = area.current?.getBoundingClientRect();
      if (!place || !box) return;
      const { x, y, zoom } = flow.getViewport();
      const height = Math.min(place.height, TITLE);
      const left = place.x * zoom + x;
      const top = place.y * zoom + y;
      const isSeen =
        left >= EDGE &&
        top >= EDGE &&
        left + place.width * zoom <= box.width - EDGE &&
        top + height * zoom <= box.height - EDGE;
      if (isSeen && !always) return;
      void flow.setCenter(place.x + place.width / 2, place.y + height / 2, { zoom: Math.max(zoom, READABLE) });
    },
    [flow, places],
  );
  const fit = useCallback(
    (isWhole: boolean) => {
      const box = area.current?.getBoundingClientRect();
      if (!box || !places.size) return;
      const size = extent(places);
      const zoom = Math.min((box.width - 2 * MARGIN) / size.width, (box.height - 2 * MARGIN) / size.height, 1);
      if (isWhole || zoom >= READABLE)
        void flow.setViewport({
          zoom: Math.max(zoom, ZOOM_MIN),
          x: (box.width - size.width * zoom) / 2,
          y: Math.max((box.height - size.height * zoom) / 2, MARGIN),
        });
      else {
        const first = places.get(selected) ?? places.values().next().value!;
        const near = Math.max(zoom, READABLE);
        const y = box.height / 2 - (first.y + Math.min(first.height, TITLE) / 2) * near;
        void flow.setViewport({
          zoom: near,
          x:
            size.width * near <= box.width
              ? (box.width - size.width * near) / 2
              : box.width / 2 - (first.x + first.width / 2) * near,
          y: Math.min(y, MARGIN),
        });
      }
    },
    [flow, places, selected],
  );
  const isFitted = useRef(false);
  useEffect(() => {
    if (isFitted.current) return;
    isFitted.current = true;
    fit(false);
  }, [fit]);
  // Another layout: what one was at stays where it was on the screen.
  const before = useRef(places);
  useEffect(() => {
    const was = before.current.get(cursor);
    const is = places.get(cursor);
    before.current = places;
    if (!was || !is || (was.x === is.x && was.y === is.y && was.width === is.width)) return;
    const { x, y, zoom } = flow.getViewport();
    const across = was.x + was.width / 2 - is.x - is.width / 2;
    void flow.setViewport({ x: x + across * zoom, y: y + (was.y - is.y) * zoom, zoom });
  }, [places]);
  return { show, fit };
}
