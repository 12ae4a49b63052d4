// Icons of node types, 16 px, by the names the catalogue gives them.
import { Lines } from "../design/Icon";

const PATHS: Record<string, string> = {
  text: "M3 3.500h10M8 3.500v9.500M5.500 13h5",
  image: "M2 3h12v10H2ZM2 11l3.500-3.500 3 3 2-2L14 11.500M10.500 5.800h.01",
  video: "M2 4h8.500v8H2ZM10.500 7 14 5v6l-3.500-2",
  clip: "M2.500 3.500h11v9h-11ZM6.500 6v4l3.500-2Z",
  film: "M2 3h12v10H2ZM5 3v10M11 3v10M2 6.300h3M2 9.700h3M11 6.300h3M11 9.700h3",
  music: "M6 12V3.500l7-1.500v8.500M6 12a2 2 0 1 1-2-2 2 2 0 0 1 2 2ZM13 10.500a2 2 0 1 1-2-2 2 2 0 0 1 2 2Z",
  voice: "M8 1.500a2 2 0 0 1 2 2V8a2 2 0 0 1-4 0V3.500a2 2 0 0 1 2-2ZM3.500 7.500a4.500 4.500 0 0 0 9 0M8 12v2.500",
  avatar: "M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2.500 14a5.500 5.500 0 0 1 11 0",
  upload: "M8 10.500v-8M4.500 6 8 2.500 11.500 6M2.500 10.500v3h11v-3",
  swap: "M2.500 5.500h10L10 3M13.500 10.500h-10L6 13",
  lips: "M1.500 8c2-3 4-4 5-3l1.500 1 1.500-1c1-1 3 0 5 3-2 3.500-4.500 4.500-6.500 4.500S3.500 11.500 1.500 8ZM1.500 8h13",
  sparkle: "M7 2l1.300 3.700L12 7 8.300 8.300 7 12 5.700 8.300 2 7l3.700-1.300ZM12.500 10.500v4M10.500 12.500h4",
  split: "M8 2v4M8 6 3.500 10.500V14M8 6l4.500 4.500V14M8 6v8",
  merge: "M3.500 2v3.500L8 10M12.500 2v3.500L8 10v4M8 2v8",
  eraser: "M6 13.500h8M3 9.500l6-6.500 4 4-6 6.500H5ZM6 6.500l4 4",
  scissors:
    "M4 2.500l7.500 8M12 2.500l-7.500 8M4 10a1.800 1.800 0 1 1 0 3.600A1.800 1.800 0 0 1 4 10ZM12 10a1.800 1.800 0 1 1 0 3.600 1.800 1.800 0 0 1 0-3.600Z",
  waves: "M1.500 8h1.500M5 5v6M8 2.500v11M11 5v6M13 8h1.500",
};

export function NodeIcon({ name, size = 16 }: { name: string; size?: number }) {
  return <Lines d={(Object.hasOwn(PATHS, name) ? PATHS[name] : PATHS.split)!} size={size} />;
}
