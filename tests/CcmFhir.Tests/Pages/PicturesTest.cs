using Microsoft.Playwright;

namespace CcmFhir.Tests.Pages;

/// <summary>Pictures of every page for a person to look at, into the folder that CCMFHIR_PICTURES names; <c>docs/images</c> has the one of README.</summary>
public sealed class PicturesTest(Browser browser, DemoSite site) : IClassFixture<DemoSite>
{
    [Fact]
    public async Task Every_page_can_be_photographed()
    {
        var folder = Environment.GetEnvironmentVariable("CCMFHIR_PICTURES");
        foreach (var (name, address) in folder is null ? Pages[..1] : Pages)
        {
            foreach (var width in (int[])[1280, 360])
            {
                foreach (var dark in (bool[])[false, true])
                {
                    await using var open = await browser.OpenAsync(site.Root, width, dark);
                    await open.GoAsync(address);
                    var picture = await open.Page.ScreenshotAsync(new PageScreenshotOptions { FullPage = true });
                    picture.Length.ShouldBeGreaterThan(10_000);
                    if (folder is not null)
                    {
                        Directory.CreateDirectory(folder);
                        await File.WriteAllBytesAsync(
                            Path.Combine(folder, $"{name}-{width}{(dark ? "-dark" : "")}.png"),
                            picture
                        );
                    }
                }
            }
        }
    }

    [Fact]
    public async Task The_picture_of_README_is_that_of_the_demos_worklist()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoUntilAsync(DemoSite.Worklist, ".trend figure");
        var picture = await open.Page.ScreenshotAsync(
            new PageScreenshotOptions
            {
                FullPage = true,
                Clip = new Clip { Width = 1280, Height = 1180 },
            }
        );
        if (Environment.GetEnvironmentVariable("CCMFHIR_PICTURES") is { } folder)
        {
            Directory.CreateDirectory(folder);
            await File.WriteAllBytesAsync(Path.Combine(folder, "readme.png"), picture);
        }
        // The file itself differs by fonts from machine to machine: what is held to account is that there is one of that size.
        PngSize(await File.ReadAllBytesAsync(Repository.At("docs", "images", "worklist.png")))
            .ShouldBe(PngSize(picture));
    }

    // Width and height stand in the header (PNG, IHDR).
    private static (int Width, int Height) PngSize(byte[] png) =>
        (
            System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)),
            System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))
        );

    private static readonly (string Name, string Address)[] Pages =
    [
        ("worklist", DemoSite.Worklist),
        ("start", "/"),
        ("patient", "/maple-street/patients/goldfinch/2026-10"),
        ("patient-shared", "/maple-street/patients/honeysuckle/2026-10"),
        ("close", DemoSite.Worklist + "/close"),
        ("audit", "/maple-street/patients/honeysuckle/2026-10/audit"),
        ("lab", "/lab?profile=ccm-time-log&sample=typical"),
        ("lab-profile", "/lab/profiles/ccm-time-log"),
        ("problem", "/maple-street/months/2026-13"),
    ];
}
