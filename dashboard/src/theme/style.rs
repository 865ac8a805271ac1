//! The theme as egui's style, so that its own widgets look like ours.

use egui::style::{ScrollStyle, WidgetVisuals};
use egui::{
    Context, CornerRadius, Margin, Shadow, Stroke, Style, TextStyle, Theme as EguiTheme, vec2,
};

use super::{
    BODY, CARD_RADIUS, CONTROL_RADIUS, GAP, SMALL, Theme, font_definitions, mono, regular,
    semi_bold,
};

/// Longest animation, in seconds.
const ANIMATION_TIME: f32 = 0.12;

/// Makes `context` draw in our fonts and colours, dark and light.
pub fn apply(context: &Context, reduce_motion: bool) {
    context.set_fonts(font_definitions());
    set_motion(context, reduce_motion);
}

/// Sets both styles; without motion nothing slides or fades.
pub fn set_motion(context: &Context, reduce_motion: bool) {
    for (egui_theme, theme) in [
        (EguiTheme::Dark, Theme::DARK),
        (EguiTheme::Light, Theme::LIGHT),
    ] {
        let mut style = style(&theme);
        style.animation_time = if reduce_motion { 0.0 } else { ANIMATION_TIME };
        context.set_style_of(egui_theme, style);
    }
}

fn style(theme: &Theme) -> Style {
    let text_styles = [
        (TextStyle::Small, regular(SMALL)),
        (TextStyle::Body, regular(BODY)),
        (TextStyle::Button, regular(BODY)),
        (TextStyle::Heading, semi_bold(16.0)),
        (TextStyle::Monospace, mono(SMALL)),
    ]
    .into();
    let mut style = Style {
        text_styles,
        ..Style::default()
    };
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(GAP, GAP);
    spacing.button_padding = vec2(10.0, 5.0);
    spacing.indent = 14.0;
    spacing.interact_size.y = 24.0;
    spacing.window_margin = Margin::same(14);
    spacing.menu_margin = Margin::same(6);
    spacing.tooltip_width = 420.0;
    spacing.scroll = ScrollStyle {
        bar_width: 6.0,
        ..ScrollStyle::floating()
    };
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.35;

    let egui_theme = if theme.is_dark {
        EguiTheme::Dark
    } else {
        EguiTheme::Light
    };
    style.visuals = egui_theme.default_visuals();
    let visuals = &mut style.visuals;
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(theme.text_faint);
    visuals.panel_fill = theme.background;
    visuals.window_fill = theme.panel;
    visuals.window_stroke = Stroke::new(1.0, theme.line);
    visuals.window_corner_radius = CornerRadius::same(CARD_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(CARD_RADIUS);
    visuals.window_shadow = shadow(theme);
    visuals.popup_shadow = shadow(theme);
    visuals.extreme_bg_color = theme.background;
    visuals.text_edit_bg_color = Some(theme.raised);
    visuals.faint_bg_color = theme.raised;
    visuals.code_bg_color = theme.raised;
    visuals.hyperlink_color = theme.accent;
    visuals.warn_fg_color = theme.warn;
    visuals.error_fg_color = theme.bad;
    visuals.selection.bg_fill = theme.accent_soft;
    visuals.selection.stroke = Stroke::new(1.0, theme.accent);
    visuals.slider_trailing_fill = true;
    visuals.indent_has_left_vline = false;
    visuals.striped = false;

    let widgets = &mut visuals.widgets;
    let widget = |fill, text, line| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        fg_stroke: Stroke::new(1.0, text),
        corner_radius: CornerRadius::same(CONTROL_RADIUS),
        expansion: 0.0,
    };
    widgets.noninteractive = widget(theme.panel, theme.text, theme.line);
    widgets.inactive = widget(theme.raised, theme.text, theme.line);
    widgets.hovered = widget(theme.line, theme.text, theme.track);
    widgets.active = widget(theme.accent_soft, theme.text, theme.accent);
    widgets.open = widget(theme.raised, theme.text, theme.accent);
    style
}

fn shadow(theme: &Theme) -> Shadow {
    Shadow {
        offset: [0, 8],
        blur: 24,
        spread: 0,
        color: egui::Color32::from_black_alpha(if theme.is_dark { 120 } else { 40 }),
    }
}
