"""What only a running desktop Slicer can show. Never run by its authors: there was no desktop Slicer to run it in.

Needs Slicer with the extension, and no server. In Slicer's Python console:
exec(open("SamanticSelfTest.py").read()); unittest.main(argv=["-"], exit=False)
"""

from __future__ import annotations

import unittest

import slicer


class SamanticSelfTest(unittest.TestCase):
    """The module opens, and the effect is there."""

    def setUp(self):
        """An empty scene, and the module in front."""
        slicer.mrmlScene.Clear()
        slicer.util.selectModule("Samantic")
        self.desk = slicer.util.getModuleWidget("Samantic").desk

    def test_the_panel_opens_and_says_what_to_do_first(self):
        self.assertEqual(self.desk.session.view.next_step, "Connect to a server.")
        self.assertEqual(self.desk.panel.ui.guideLabel.text, "Connect to a server.")

    def test_every_widget_of_the_form_is_there(self):
        self.assertFalse(self.desk.panel.ui.messageFrame.visible)
        self.assertFalse(self.desk.panel.ui.pointPositiveButton.enabled)
        self.assertTrue(self.desk.panel.ui.connectButton.enabled)

    def test_a_server_that_is_not_there_is_said_and_nothing_freezes(self):
        self.desk.session.connect("http://127.0.0.1:9")
        for _ in range(200):
            slicer.app.processEvents()
            if self.desk.session.view.notice is not None:
                break
            slicer.util.delayDisplay("waiting", 50)
        self.assertIsNotNone(self.desk.session.view.notice)
        self.assertEqual(self.desk.session.view.notice.kind, "error")

    def test_the_tools_give_the_mouse_back(self):
        self.desk.panel.leave()
        self.assertFalse(self.desk.panel.ui.boxButton.checked)

    def test_the_terminology_is_offered(self):
        logic = slicer.modules.terminologies.logic()
        context = "Segmentation category and type - Samantic"
        self.assertGreater(logic.GetNumberOfCategoriesInTerminology(context), 0)

    def test_segment_editor_has_the_effect(self):
        editor = slicer.qMRMLSegmentEditorWidget()
        editor.setMRMLScene(slicer.mrmlScene)
        self.assertIn("Samantic", editor.availableEffectNames())


if __name__ == "__main__":
    unittest.main()
