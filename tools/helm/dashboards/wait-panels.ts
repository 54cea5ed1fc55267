import type { Panel } from "./grafana.ts";

/** What something waits for, and until when: `readings` is its gauge of that instant, with its labels; 0 in it: nobody knows. */
export const waitPanels = (readings: string, width: number): readonly Panel[] => [
  {
    title: "What it waits for",
    description: "The first of its reasons. Nothing here: it waits for nothing.",
    type: "stat",
    text: "name",
    queries: [{ expr: `${readings} >= 0`, legend: "{{reason}}" }],
    width,
  },
  {
    title: "Until",
    description: "Nothing here: nobody knows, a person or a machine has to do something.",
    type: "stat",
    queries: [{ expr: `${readings} * 1000 > 0` }],
    unit: "dateTimeAsIso",
    width: 3,
  },
];
