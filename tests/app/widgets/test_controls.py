"""Settings of visitors."""


def test_a_setting_is_put_back_in_the_run_that_shows_it_again(page):
    """Not before: Streamlit tells the browser only what is set in the run that shows it."""
    app = page()
    app.number_input(key="set.sample.count").set_value(5)
    app = next(button for button in app.button if button.label == "Sample").click().run()
    for title in ("About the run", "Complete", "Sample"):
        app = app.radio(key="set.page").set_value(title).run()
        app = app.run()
    count = app.number_input(key="set.sample.count")
    assert count.value == 5
    app = app.radio(key="set.page").set_value("About the run").run()
    app = app.run()
    assert "set.sample.count" not in app.session_state
    app = app.radio(key="set.page").set_value("Sample").run()
    assert app.number_input(key="set.sample.count").proto.set_value
    assert not app.run().number_input(key="set.sample.count").proto.set_value
