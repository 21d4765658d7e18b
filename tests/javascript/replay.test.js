// @ts-nocheck
import assert from "node:assert/strict";
import test from "node:test";

import { Player } from "../../docs/assets/playground/replay.js";

function player(context, length) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const drawn = [];
  const made = new Player(length, (place) => drawn.push(place), 10);
  return {
    made,
    drawn,
    tick: (times) => {
      for (let n = 0; n < times; n++) context.mock.timers.tick(100);
    },
  };
}

test("a recording is played to its end, and again from the beginning", (context) => {
  const { made, drawn, tick } = player(context, 3);
  made.play();
  made.play(); // twice is once
  tick(10);
  assert.deepEqual(drawn, [0, 1, 2, 3]);
  assert.ok(made.isOver && !made.isPlaying);
  made.play();
  tick(1);
  assert.deepEqual(drawn.slice(4), [0, 1]);
});

test("a pause keeps the place", (context) => {
  const { made, drawn, tick } = player(context, 9);
  made.play();
  tick(4);
  made.pause();
  tick(4);
  assert.deepEqual(drawn, [0, 1, 2, 3, 4, 4]);
  made.play();
  tick(1);
  assert.equal(made.place, 5);
});

test("all of it can be shown at once", (context) => {
  const { made, drawn, tick } = player(context, 9);
  made.finish();
  tick(3);
  assert.deepEqual(drawn, [9]);
});
