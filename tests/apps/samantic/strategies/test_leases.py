from __future__ import annotations

from samantic.app.lib.strategies.leases import Leases


def test_an_image_belongs_to_one_client_until_its_time_is_over() -> None:
    now = [0.0]
    leases = Leases(life_s=60, clock=lambda: now[0])
    assert leases.take("a", "me")
    assert not leases.take("a", "you")
    now[0] = 40
    assert leases.take("a", "me")
    now[0] = 90
    assert not leases.take("a", "you")
    assert leases.held() == {"a": "me"}
    now[0] = 100
    assert leases.take("a", "you")


def test_a_click_renews_only_what_one_holds() -> None:
    now = [0.0]
    leases = Leases(life_s=60, clock=lambda: now[0])
    assert not leases.renew("a", "me")
    leases.take("a", "me")
    now[0] = 50
    assert leases.renew("a", "me") and not leases.renew("a", "you")
    now[0] = 100
    assert leases.held() == {"a": "me"}


def test_an_image_is_given_back_by_who_holds_it_or_with_its_label() -> None:
    leases = Leases()
    leases.take("a", "me")
    leases.take("b", "me")
    assert not leases.release("a", "you")
    assert leases.release("a", "me") and leases.take("a", "you")
    leases.drop_all_but({"a"})
    assert leases.held() == {"a": "you"}


def test_one_client_holds_a_few_images_and_all_together_a_bounded_number() -> None:
    leases = Leases(most=5, most_of_one=3)
    for image in "abcd":
        leases.take(image, "me")
    assert set(leases.held()) == {"b", "c", "d"}
    for image in "wxyz":
        leases.take(image, f"client {image}")
    assert set(leases.held()) == {"d", "w", "x", "y", "z"}
