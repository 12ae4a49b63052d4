// How the canvas is looked at.
/** A card whose size is not known yet; as wide as Card.module.css makes it. */
export const CARD = { width: 240, height: 200 };
/** All cards at once, no larger than they are. */
export const WHOLE = { padding: 0.15, maxZoom: 1 };
