using System.Text.Json;
using CcmFhir.Profiles;
using Microsoft.Playwright;

namespace CcmFhir.Tests.Pages;

/// <summary>The bench in the browser.</summary>
public sealed class LabTest(Browser browser, DemoSite site) : IClassFixture<DemoSite>
{
    private static readonly string TimeLog = ProfileExamples.Read("ccm-time-log", "typical")!;

    [Fact]
    public async Task A_valid_sample_is_valid_and_a_fault_is_marked_on_its_line_beside_the_sample()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/lab/profiles/ccm-time-log");
        (await open.Page.ContentAsync()).ShouldContain("executionPeriod");
        await open.ClickAsync("a:has-text('typical')");
        await open.ClickAsync("button:has-text('Validate')");
        (await open.Page.Locator("section h2").First.TextContentAsync()).ShouldBe("Valid: pasted");

        var broken = TimeLog.Replace("\"status\": \"completed\"", "\"status\": \"done\"", StringComparison.Ordinal);
        broken.ShouldNotBe(TimeLog);
        await open.Page.FillAsync("#source", broken);
        await open.ClickAsync("button:has-text('Validate')");
        (await open.Page.Locator("section h2").First.TextContentAsync()).ShouldBe("Not valid: pasted");
        (await open.Page.Locator(".source .marked").First.TextContentAsync())!.ShouldContain("\"done\"");
        (await open.Page.Locator("pre[aria-label='Valid sample of ccm-time-log']").TextContentAsync())!.ShouldContain(
            "completed"
        );
        (await open.ViolationsAsync()).ShouldBeEmpty();
        await open.ClickAsync("text=Link to this bench with the profile, without data");
        new Uri(open.Page.Url).PathAndQuery.ShouldBe("/lab?profile=ccm-time-log");
        (await open.Page.InputValueAsync("#source")).ShouldBeEmpty();
        open.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_and_a_folder_are_looked_at_one_by_one_without_script()
    {
        await using var open = await browser.OpenAsync(site.Root, script: false);
        await open.GoAsync("/lab");
        await open.Page.SetInputFilesAsync(
            "input[name=files]",
            [
                Of("good.json", TimeLog),
                Of("bad.json", "{\"resourceType\":\"Task\"}"),
                Of("bad.xml", "<Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"x\"/></Patient>"),
            ]
        );
        await open.ClickAsync("button:has-text('Validate')");
        (await open.Page.Locator("#result").TextContentAsync()).ShouldBe("1 of 3 are valid");
        (await open.Page.Locator("section h2").AllTextContentsAsync()).ShouldBe([
            "Valid: good.json",
            "Not valid: bad.json",
            "Not valid: bad.xml",
        ]);
    }

    [Theory]
    [InlineData("sarif", "validation.sarif")]
    [InlineData("outcome", "validation-outcome.json")]
    public async Task What_was_found_can_be_taken_along(string kind, string file)
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/lab");
        await open.Page.FillAsync("#source", "{\n\"resourceType\":\"Task\"}");
        var download = await open.Page.RunAndWaitForDownloadAsync(() => open.Page.ClickAsync($"button[value={kind}]"));
        download.SuggestedFilename.ShouldBe(file);
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync((await download.PathAsync())!));
        var found =
            kind == "sarif"
                ? json.RootElement.GetProperty("runs")[0].GetProperty("results")
                : json.RootElement.GetProperty("issue");
        found.GetArrayLength().ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_folder_is_taken_as_one()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/lab");
        await open.Page.SetInputFilesAsync("input[name=folder]", Repository.At("profiles", "samples"));
        await open.ClickAsync("button:has-text('Validate')");
        (await open.Page.Locator("#result").TextContentAsync())!.ShouldContain(" of 2");
        (await open.Page.ContentAsync()).ShouldContain("11-honeysuckle.json");
    }

    private static FilePayload Of(string name, string text) =>
        new()
        {
            Name = name,
            MimeType = "application/octet-stream",
            Buffer = System.Text.Encoding.UTF8.GetBytes(text),
        };
}
