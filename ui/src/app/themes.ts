// The themes as a menu offers them, the one that holds marked.
import type { IconName } from "../design/Icon";
import type { MenuItem } from "../design/Menu";
import { setPreferences, type Preferences } from "./preferences";

type Theme = Preferences["theme"];
export const THEME_ICONS: Record<Theme, IconName> = { light: "sun", dark: "moon", system: "screen" };
const LABELS: Record<Theme, string> = { light: "Light", dark: "Dark", system: "As the system" };

export const themes = (chosen: Theme): MenuItem[] =>
  (Object.keys(LABELS) as Theme[]).map(theme => ({
    label: LABELS[theme],
    icon: THEME_ICONS[theme],
    checked: theme === chosen,
    onSelect: () => setPreferences({ theme }),
  }));
