// How long something that is sent still takes. Enters: bytes that are there, again and again. Leaves: words.

const WINDOW_MS = 20_000;
const ENOUGH_MS = 2000; // the first moments fill buffers and tell nothing

/** {told(bytes), restart(), left(total)}: milliseconds still, or null where too little was seen. */
export function makePace() {
  let seen = [];
  return {
    told(bytes) {
      const now = performance.now();
      seen.push({ now, bytes });
      while (seen.length > 2 && now - seen[0].now > WINDOW_MS) seen.shift();
    },
    restart() {
      seen = [];
    },
    left(total) {
      if (!seen.length) return null;
      const [first, last] = [seen[0], seen.at(-1)];
      const took = last.now - first.now;
      const came = last.bytes - first.bytes;
      return took < ENOUGH_MS || came <= 0 ? null : ((total - last.bytes) * took) / came;
    },
  };
}

/** Roughly, so that it does not change with every look. */
export function leftWords(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return "a few seconds left";
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${Math.round(seconds / 3600)} h left`;
}
