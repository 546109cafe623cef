namespace CcmFhir.Tests.Pages;

/// <summary>Closing a month in the browser: look first, say yes once, see what came of it.</summary>
public sealed class ClosePageTest(Browser browser)
{
    [Fact]
    public async Task Preview_yes_result_and_a_second_time_nothing_happens()
    {
        await using var site = new OpenDemoSite();
        await site.InitializeAsync();
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist);
        await open.ClickAsync("text=Close the month");
        var ready = await FigureAsync(open, "to issue");
        ready.ShouldBeGreaterThan(0);
        (await FigureAsync(open, "held")).ShouldBeGreaterThan(0);
        (await open.ViolationsAsync()).ShouldBeEmpty();
        (await open.Page.Locator("h2").AllTextContentsAsync()).ShouldContain("Held: what would mend it");
        await open.ClickAsync("button:has-text('Close October 2026')");
        // While it runs, the page comes again by itself.
        await open.Page.WaitForSelectorAsync("h1:has-text('October 2026 is closed')");
        await open.Page.WaitForLoadStateAsync();
        (await FigureAsync(open, "issued now")).ShouldBe(ready);
        (await open.ViolationsAsync()).ShouldBeEmpty();
        await open.Page.ReloadAsync();
        (await FigureAsync(open, "issued now")).ShouldBe(ready);

        await open.GoAsync(DemoSite.Worklist + "/close");
        (await FigureAsync(open, "to issue")).ShouldBe(0);
        (await FigureAsync(open, "issued already")).ShouldBe(ready);
        (await open.Page.Locator("main form").CountAsync()).ShouldBe(0);
        open.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_sites_form_closes_nothing()
    {
        await using var site = new OpenDemoSite();
        await site.InitializeAsync();
        using var http = new HttpClient { BaseAddress = site.Root };
        foreach (
            var form in (Dictionary<string, string>[])
                [
                    [],
                    new() { ["form-token"] = "guessed" },
                ]
        )
        {
            using var content = new FormUrlEncodedContent(form);
            using var answer = await http.PostAsync(DemoSite.Worklist + "/close", content);
            ((int)answer.StatusCode).ShouldBe(400);
            (await answer.Content.ReadAsStringAsync()).ShouldContain("This form is too old");
        }
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist + "/close");
        (await FigureAsync(open, "issued already")).ShouldBe(0);
    }

    [Fact]
    public async Task A_running_month_is_shown_and_cannot_be_closed()
    {
        await using var site = new OpenDemoSite();
        await site.InitializeAsync();
        await using var open = await browser.OpenAsync(site.Root);
        (await open.GoAsync("/maple-street/months/2026-11/close")).ShouldBe(200);
        (await open.Page.ContentAsync()).ShouldContain("The month is still running");
        (await open.Page.Locator("main form").CountAsync()).ShouldBe(0);
        (await open.GoAsync("/maple-street/months/2026-11/close/unknown")).ShouldBe(404);
    }

    private static async Task<int> FigureAsync(OpenPage open, string card) =>
        int.Parse(
            (await open.Page.Locator($".card:has-text('{card}') strong").First.TextContentAsync())!,
            System.Globalization.CultureInfo.InvariantCulture
        );
}
