"""What is asked at the desk is answered, and nobody waits there for ever."""

from __future__ import annotations

import asyncio

from leafsight.cluster.trial_desk import Desk, Question, Sign

SIGN = Sign("10.0.0.5", "whole 1/2")


def test_a_question_wakes_the_command_and_its_answer_the_worker() -> None:
    async def meet() -> None:
        desk = Desk()
        waiting = [asyncio.create_task(desk.judge(run, 1, 0.5)) for run in (0, 1)]
        news = await asyncio.wait_for(desk.take(60.0), 5.0)
        assert news.questions == [Question(0, 1, 0.5), Question(1, 1, 0.5)]
        await desk.answer(news.questions[1], True)
        await desk.answer(news.questions[0], False)
        assert [await one for one in waiting] == [False, True]
        assert not (await desk.take(0.01)).questions

    asyncio.run(meet())


def test_the_last_sign_of_life_counts_and_wakes_nobody() -> None:
    async def meet() -> None:
        desk = Desk()
        assert await desk.tell(0, Sign("10.0.0.5", "opens its photographs")) == ""
        assert await desk.tell(0, SIGN) == ""
        assert (await desk.take(0.01)).said == {0: SIGN}
        assert (await desk.take(0.01)).said == {}

    asyncio.run(meet())


def test_a_wish_to_stop_is_heard_by_all_and_frees_who_waits() -> None:
    async def meet() -> None:
        desk = Desk()
        waiting = asyncio.create_task(desk.judge(0, 1, 0.5))
        await asyncio.sleep(0)
        await desk.stop("SIGINT")
        assert await asyncio.wait_for(waiting, 5.0) is False
        assert await asyncio.wait_for(desk.judge(1, 1, 0.1), 5.0) is False
        assert await desk.tell(1, SIGN) == "SIGINT"

    asyncio.run(meet())
