/**
 * What a test asks of the Vega views on a page. Runs before the page's own scripts and keeps every view that is
 * embedded, so that its signals, data and marks can be read.
 */
window.embedded = [];
let embed;
Object.defineProperty(window, "vegaEmbed", {
  get: () =>
    embed &&
    (async (...rest) => {
      const result = await embed(...rest);
      embedded.push(result.view);
      return result;
    }),
  set: (value) => (embed = value),
});

window.canvasOf = (view) => view.container().querySelector("canvas");

/** The highest view on the page that has a data source of this name; one that was replaced, or does not stand on the page yet, is none. */
window.viewWith = (source) => {
  const standing = embedded.filter((view) => view.container()?.isConnected);
  const height = (view) => view.container().getBoundingClientRect().top;
  return standing
    .filter((view) => source in view.getState({ data: () => true }).data)
    .sort((one, other) => height(one) - height(other))[0];
};

/** All that a view draws: { mark, item, plot, x, y }, groups among it; x and y in px on the page, plot names the group around it. */
window.scene = (view) => {
  const found = [];
  const walk = (group, plot, left, top) => {
    for (const mark of group.items ?? []) {
      for (const item of mark.items ?? []) {
        const [x, y] = [left + (item.x ?? 0), top + (item.y ?? 0)];
        found.push({ mark, item, plot, x, y });
        if (mark.marktype === "group") walk(item, mark.name ?? "", x, y);
      }
    }
  };
  const box = canvasOf(view).getBoundingClientRect();
  const [left, top] = view.origin();
  const padding = view.padding();
  walk(view.scenegraph().root.items[0], "", box.left + left + padding.left, box.top + top + padding.top);
  return found;
};

/** The marks of one type that a view draws, as `scene` gives them. */
window.marksOf = (view, type) => scene(view).filter(({ mark }) => mark.marktype === type);

/** The middle of a rectangle that `scene` gave. */
window.middle = ({ item, x, y }) => [x + item.width / 2, y + item.height / 2];

/** Where a value of a plot lies on the page. */
window.placeOf = (view, plot, x, y) => {
  const group = scene(view).find(({ mark }) => mark.name === `${plot}_group`);
  return [group.x + view.scale(`${plot}_x`)(x), group.y + view.scale(`${plot}_y`)(y)];
};
